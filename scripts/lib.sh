# Shared by the scripts: where things are, what is said while they work, and the build.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
mkdir -p "$logs"
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ccache} CCACHE_SLOPPINESS=pch_defines,time_macros

say() { printf '%s\n' "$*"; }

# quiet LOG COMMAND...: the command's output goes to build/logs/LOG.log; its end is shown when it fails.
quiet() {
  local log=$logs/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null || {
    say "failed: ${log##*/} (the whole log: ${log#"$root"/})"
    grep -E 'error:|FAILED|Error' "$log" | head -20
    tail -15 "$log"
    return 1
  }
}

# build PRESET [TARGET...]: configure and build; seconds are said.
build() {
  local preset=$1 start=$SECONDS
  shift
  quiet "configure-$preset" cmake --preset "$preset" -S "$root" || return 1
  quiet "build-$preset" ninja -C "$root/build/$preset" "$@" || return 1
  say "built $preset in $((SECONDS - start)) s"
}
