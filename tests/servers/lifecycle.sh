# Sourced by neo4j.sh and arcadedb.sh: what starting, ending and forgetting a Bolt server on loopback have in common.
# The script that sources it sets `self`, `name`, `user`, `password` and `jars`, defines `require`, `fetch`, `launch` and
# `started`, and calls `main "$@"`.
#
# One server has one folder (--data): its process id, its port and everything that it writes are in there.

# Exit code of a server that cannot run on this machine (EX_UNAVAILABLE), as opposed to one that failed to.
absent=69

cache=${MORTISE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mortise-tests}

# Compiling quickly rather than well halves what a start costs, and few tests ask for more than that.
read -ra java_options <<<"${MORTISE_TEST_JAVA_OPTIONS:--XX:TieredStopAtLevel=1}"

missing() {
  echo "$name cannot run here: $*" >&2
  exit $absent
}

# An ended process lingers as a zombie where nobody reaps it: that is not running.
alive() {
  if [ -d /proc/self ]; then grep -qs '^State:.[^ZX]' "/proc/$1/status"; else kill -0 "$1" 2>/dev/null; fi
}

# Since when a process runs: an id may be given to another one later.
since() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

running() { [ -s "$data/pid" ] && alive "$(cat "$data/pid")"; }

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the ports that the system hands out for connections, so that none of those takes it before the server does.
free_port() {
  local candidate
  for _ in {1..200}; do
    candidate=$((20000 + RANDOM % 10000))
    if ! taken "$candidate"; then echo "$candidate"; return; fi
  done
  echo "no free port between 20000 and 29999" >&2
  return 1
}

# The Bolt handshake as neo4rs makes it: 4.4 to 4.0 are offered, 4.4 must be the answer.
answers() {
  local reply
  reply=$( { exec 3<>"/dev/tcp/127.0.0.1/$port" &&
    printf '\x60\x60\xb0\x17\0\0\4\4\0\0\3\4\0\0\1\4\0\0\0\4' >&3 &&
    timeout 3 head -c 4 <&3 | od -An -tx1 | tr -d ' \n'; } 2>/dev/null) || return 1
  [ "$reply" = 00000404 ]
}

# A killed JVM's main thread is a zombie while its others still hold the port and the store's lock.
gone() {
  for _ in {1..300}; do
    if ! running && ! taken "$port"; then return; fi
    sleep 0.1
  done
  echo "$name did not end" >&2
  return 1
}

# The download is made once, by one of those that need it at the same time. `fetch` fills the folder that it is given.
fetch_once() {
  [ -f "$jars/.complete" ] && return
  mkdir -p "$cache"
  exec 9>"$jars.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [ ! -f "$jars/.complete" ]; then
    rm -rf "$jars"
    mkdir -p "$jars"
    fetch "$jars" >&2 || missing "its files cannot be fetched"
    touch "$jars/.complete"
  fi
  exec 9>&-
}

# Ends the server at once when the process `$1` has ended, and removes its folder. Ends by itself when the folder is gone.
watch() {
  local watched=$1 began
  began=$(since "$watched")
  while alive "$watched" && [ "$(since "$watched")" = "$began" ]; do
    [ -d "$data" ] || return 0
    sleep 0.5
  done
  if running; then kill -9 "$(cat "$data/pid")"; gone || true; fi
  rm -rf "$data"
}

start_watching() {
  [ -n "$watched" ] || return 0
  alive "$watched" || { echo "there is no process $watched to watch" >&2; return 1; }
  if [ -s "$data/watchdog" ] && alive "$(cat "$data/watchdog")"; then return; fi
  # A session of its own, and nothing of the caller's kept open: whoever reads the caller's output need not wait for it.
  setsid nohup "$self" watch --data "$data" --while-alive "$watched" >/dev/null 2>&1 </dev/null &
  echo $! >"$data/watchdog"
}

# Waits until it can be used; fails where the server ends before.
ready() {
  local deadline=$((SECONDS + 180))
  until answers && started; do
    if ! running || [ $SECONDS -ge $deadline ]; then
      tail -n 40 "$data/console.log" >&2
      if running; then kill -9 "$(cat "$data/pid")"; gone || true; fi
      return 1
    fi
    sleep 0.2
  done
}

start() {
  if ! running; then
    require
    command -v setsid >/dev/null || missing "setsid (util-linux) is missing"
    fetch_once
    mkdir -p "$data"
    # A free port may be taken by another before the server binds it.
    local attempts=3
    [ -z "$port" ] || attempts=1
    local given=$port
    start_watching
    while :; do
      port=${given:-$(free_port)}
      if taken "$port"; then echo "port $port is taken by another process" >&2; return 1; fi
      echo "$port" >"$data/port"
      # In its folder: some of what a server writes goes to where it was started.
      (cd "$data" && launch) >"$data/console.log" 2>&1 </dev/null
      if ready; then break; fi
      attempts=$((attempts - 1))
      [ $attempts -gt 0 ] || return 1
    done
  fi
  echo "bolt://$user:$password@127.0.0.1:$port"
}

stop() {
  if running; then
    kill "$(cat "$data/pid")"
    for _ in {1..300}; do running || break; sleep 0.1; done
    if running; then kill -9 "$(cat "$data/pid")"; fi
    gone
  fi
}

usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$self" >&2
  exit 2
}

main() {
  local command=${1:-}
  [ $# -gt 0 ] && shift
  data= port= watched=
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
      --data) data=$2 ;;
      --port) port=$2 ;;
      --while-alive) watched=$2 ;;
      *) usage ;;
    esac
    shift 2
  done
  [ "$command" = fetch ] && { fetch_once; return; }
  [ -n "$data" ] || usage
  case $data in /*) ;; *) data=$PWD/$data ;; esac
  if [ -z "$port" ] && [ -f "$data/port" ]; then port=$(cat "$data/port"); fi
  case $command in
    start) start ;;
    stop) stop ;;
    kill) if running; then kill -9 "$(cat "$data/pid")"; gone; fi ;;
    wipe) stop; rm -rf "$data" ;;
    watch) watch "$watched" ;;
    *) usage ;;
  esac
}
