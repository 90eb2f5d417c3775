#!/usr/bin/env bash
# A real ArcadeDB with its Bolt plugin on loopback, from its published Python package, which carries its own Java.
#
#   arcadedb.sh fetch                     fetch the package, about 70 MB, which is done once
#   arcadedb.sh start --data <folder>     start it, wait until it answers, print its URI as the last line
#       [--port <port>]                   else the port that it had before, else a free one
#       [--while-alive <pid>]             when that process has ended, end the server and remove its folder
#   arcadedb.sh stop --data <folder>      end it in order
#   arcadedb.sh kill --data <folder>      end it with SIGKILL
#   arcadedb.sh wipe --data <folder>      end it and remove its folder
#
# Needs Linux with glibc, and Python with pip to fetch. Exits with 69 where they are missing.
# MORTISE_TEST_CACHE: where the package is kept.
# MORTISE_TEST_JAVA_OPTIONS: to measure, -XX:+TieredCompilation; see lifecycle.sh.
set -euo pipefail
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/arcadedb.sh
. "$(dirname "$self")/lifecycle.sh"

version=26.10.2.post1
name="ArcadeDB $version" user=root password=mortise-test jars=$cache/arcadedb-$version

require() { [ "$(uname -s)" = Linux ] || missing "its package is for Linux"; }

fetch() {
  python3 -m pip --version >/dev/null 2>&1 || missing "Python with pip is missing, which fetches its package"
  # Named outright, so that any Python will do: only the files in it are used.
  python3 -m pip install --quiet --root-user-action=ignore --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.12 --platform "manylinux_2_34_$(uname -m)" \
    --target "$1" "arcadedb-embedded==$version"
}

launch() {
  local package=$jars/arcadedb_embedded
  # Stock settings but for where it listens and two more. Without txWalFlush=1 a commit is not on the disk when it is
  # answered. Without a default database, Bolt would use whichever comes first.
  setsid nohup "$package/jre/bin/java" "${java_options[@]}" -cp "$package/jars/*" -Xmx1g \
    --enable-native-access=ALL-UNNAMED \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-exports=java.management/sun.management=ALL-UNNAMED \
    -Darcadedb.server.rootPath="$data" -Darcadedb.server.rootPassword="$password" \
    -Darcadedb.server.plugins=Bolt:com.arcadedb.bolt.BoltProtocolPlugin \
    -Darcadedb.server.defaultDatabases="mortise[$user]" -Darcadedb.bolt.defaultDatabase=mortise \
    -Darcadedb.bolt.host=127.0.0.1 -Darcadedb.bolt.port="$port" \
    -Darcadedb.server.httpIncomingHost=127.0.0.1 -Darcadedb.server.httpIncomingPort="$(free_port)" \
    -Darcadedb.txWalFlush=1 \
    com.arcadedb.server.ArcadeDBServer &
  echo $! >"$data/pid"
}

# It accepts connections before it has made its database.
started() { grep -q 'ArcadeDB Server started' "$data/console.log"; }

main "$@"
