# To be sourced. uv does not read pip's configuration: whoever has set pip to use an index of their own wants it
# used here as well, and would not guess that a second program has to be told.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
  index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
  if [ -n "$index" ]; then
    export UV_DEFAULT_INDEX="$index"
  fi
fi
