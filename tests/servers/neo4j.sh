#!/usr/bin/env bash
# A real Neo4j Community on loopback, from its published Maven artifacts: no container, no root.
#
#   neo4j.sh fetch                        fetch the jars, about 125 MB, which is done once
#   neo4j.sh start --data <folder>        start it, wait until it answers, print its URI as the last line
#       [--port <port>]                   else the port that it had before, else a free one
#       [--while-alive <pid>]             when that process has ended, end the server and remove its folder
#   neo4j.sh stop --data <folder>         end it in order
#   neo4j.sh kill --data <folder>         end it with SIGKILL
#   neo4j.sh wipe --data <folder>         end it and remove its folder
#
# Needs Java 17 or 21, and Maven to fetch. Exits with 69 where they are missing.
# JAVA: another java than the one that is found. MORTISE_TEST_CACHE: where the jars are kept.
# MORTISE_TEST_JAVA_OPTIONS: to measure, -XX:+TieredCompilation; see lifecycle.sh.
set -euo pipefail
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/neo4j.sh
. "$(dirname "$self")/lifecycle.sh"

# The long-term release, and the last that Java 17 runs. The main class and the Java versions below belong to it.
version=5.26.31
name="Neo4j $version" user=neo4j password=mortise-test jars=$cache/neo4j-$version

java_major() { "$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }

pick_java() {
  local candidate
  for candidate in "${JAVA:-}" "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
    [ -x "${candidate:-}" ] || continue
    case $(java_major "$candidate") in
      17 | 21) echo "$candidate"; return ;;
    esac
  done
}

fetch() {
  command -v mvn >/dev/null || missing "Maven (mvn) is missing, which fetches its jars"
  mvn -q -B -f "$(dirname "$self")/pom.xml" -Dneo4j.version="$version" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$1"
}

# Stock settings but for where it listens, what it writes and how much memory it takes.
configure() {
  mkdir -p "$data"/{conf,data,logs,run,import,plugins,certificates,licenses}
  cat >"$data/conf/neo4j.conf" <<CONF
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:$port
server.bolt.advertised_address=127.0.0.1:$port
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
server.memory.heap.initial_size=1g
server.memory.heap.max_size=1g
server.memory.pagecache.size=128m
db.tx_log.preallocate=false
CONF
}

launch() {
  configure
  local java
  java=$(pick_java)
  export NEO4J_HOME=$data NEO4J_CONF=$data/conf
  if [ ! -d "$data/data/databases/system" ]; then
    "$java" "${java_options[@]}" -cp "$jars/*" -Dbasedir="$data" \
      org.neo4j.server.startup.Neo4jAdminCommand dbms set-initial-password "$password"
  fi
  setsid nohup "$java" "${java_options[@]}" -cp "$data/conf:$jars/*" -XX:+UseG1GC -XX:+DisableExplicitGC \
    -Dio.netty.tryReflectionSetAccessible=true -Dlog4j2.disable.jmx=true -Djava.awt.headless=true \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
    --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
    --enable-native-access=ALL-UNNAMED -Xms1g -Xmx1g \
    org.neo4j.server.CommunityEntryPoint --home-dir="$data" --config-dir="$data/conf" --console-mode &
  echo $! >"$data/pid"
}

# Bolt is the last that it starts.
started() { :; }

require() { [ -n "$(pick_java)" ] || missing "Java 17 or 21 is missing"; }

main "$@"
