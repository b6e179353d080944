# Real Apache Kafka on this machine, for scripts to source. It needs Java 17 or newer and Maven.
#
#   kafka_jars              fetches the jars once into the cache folder; sets KAFKA_JARS for `java -cp`
#   kafka_prepare DIR PORT [name=value …]
#                           writes DIR/server.properties and formats the data folder, but starts nothing.
#                           KAFKA_CLUSTER_ID is the cluster it belongs to; a new one unless set.
#   kafka_start DIR PORT [name=value …]
#                           starts one broker that keeps its data under DIR and listens on 127.0.0.1:PORT
#                           (its controller on PORT+1), waits until it answers, sets KAFKA_PID.
#                           Further arguments become lines of its server.properties.
#   kafka_stop              asks that broker to stop and waits until it has
#
# KAFKA_HEAP (512m unless set) is the heap of the broker.

kafka_cache="${XDG_CACHE_HOME:-$HOME/.cache}/kafka-workshop"
kafka_here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

kafka_jars() {
    local version
    version="$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$kafka_here/java/pom.xml")"
    local lib="$kafka_cache/kafka-$version"
    KAFKA_JARS="$lib/*"
    [ -e "$lib/.complete" ] && return 0
    for program in java mvn; do
        command -v "$program" >/dev/null || {
            echo "real Kafka needs $program (Debian: apt install default-jdk-headless maven)" >&2
            return 1
        }
    done
    echo "fetching the jars of Apache Kafka $version (54 MB, once) into $lib" >&2
    mkdir -p "$lib"
    mvn -q -B -f "$kafka_here/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib" >&2 &&
        touch "$lib/.complete"
}

kafka_prepare() {
    local dir="$1" port="$2"
    shift 2
    kafka_jars || return 1
    mkdir -p "$dir/data"
    {
        cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
log.dirs=$dir/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
        printf '%s\n' "$@"
    } >"$dir/server.properties"
    local id="${KAFKA_CLUSTER_ID:-}"
    [ -n "$id" ] || id="$(java -cp "$KAFKA_JARS" kafka.tools.StorageTool random-uuid)" || return 1
    java -cp "$KAFKA_JARS" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" >"$dir/format.log" 2>&1 ||
        { cat "$dir/format.log" >&2; return 1; }
}

kafka_start() {
    local dir="$1" port="$2"
    kafka_prepare "$@" || return 1
    # exec, so that the process id is Java's own.
    (exec java -Xms64m "-Xmx${KAFKA_HEAP:-512m}" -cp "$KAFKA_JARS" kafka.Kafka "$dir/server.properties" >"$dir/server.log" 2>&1) &
    KAFKA_PID=$!
    local tries=0
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$KAFKA_PID" 2>/dev/null; then
            echo "Kafka did not start; see $dir/server.log" >&2
            tail -n 5 "$dir/server.log" >&2
            return 1
        fi
        sleep 0.1
    done
}

kafka_stop() {
    [ -n "${KAFKA_PID:-}" ] || return 0
    kill "$KAFKA_PID" 2>/dev/null || true
    wait "$KAFKA_PID" 2>/dev/null || true
    KAFKA_PID=
}
