"""nginx in two parts: the upstream that answers at once, and the plain reverse proxy to compare with."""

import json
from pathlib import Path

CHAT_ANSWER = json.dumps(
    {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "bench-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "benchmark " * 90},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 420,
            "completion_tokens": 90,
            "total_tokens": 510,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
)

MESSAGES_ANSWER = json.dumps(
    {
        "id": "msg_benchmark",
        "type": "message",
        "role": "assistant",
        "model": "bench-1",
        "content": [{"type": "text", "text": "benchmark " * 90}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 420,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 90,
            "service_tier": "standard",
        },
    }
)

_COMMON = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-f;
  uwsgi_temp_path {folder}/{name}-u;
  scgi_temp_path {folder}/{name}-s;
  client_body_buffer_size 1m;
  {inner}
}}
"""


def upstream_config(folder: Path, port: int) -> Path:
    """An upstream that answers every request with the same chat completion, or the same message."""
    inner = f"""
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 200 '{CHAT_ANSWER}'; }}
    location /v1/messages {{ return 200 '{MESSAGES_ANSWER}'; }}
  }}"""
    return _write(folder, "upstream", inner)


def proxy_config(folder: Path, port: int, upstream_port: int, key: str) -> Path:
    """A reverse proxy with keep-alive to the upstream and a look at the key, as plain as it gets."""
    inner = f"""
  map $http_authorization $known {{ default 0; "Bearer {key}" 1; }}
  upstream backend {{ server 127.0.0.1:{upstream_port}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      if ($known = 0) {{ return 401; }}
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://backend;
    }}
  }}"""
    return _write(folder, "proxy", inner)


def _write(folder: Path, name: str, inner: str) -> Path:
    path = folder / f"{name}.conf"
    path.write_text(_COMMON.format(folder=folder, name=name, inner=inner))
    return path
