"""Names of nginx's that the directive table in use (nginx 1.17) lacks, and blocks whose lines are no directives."""

from __future__ import annotations

# Blocks that hold a table: what stands first in their lines is a key, not the name of a directive.
TABLES = frozenset(("types", "map", "geo", "split_clients", "charset_map"))

_NEWER = """
add_header_inherit add_trailer_inherit auth_delay early_hints epoll_events grpc_ssl_certificate_cache
grpc_ssl_conf_command grpc_ssl_key_log gzip_hash gzip_no_buffer gzip_window http2 http2_pool_size
http2_streams_index_size http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size
keepalive_min_timeout keepalive_time max_errors max_headers mp4_start_key_frame open_file_cache_events pass
post_action postpone_gzipping proxy_cookie_flags proxy_half_close proxy_pass_trailers proxy_smtp_auth
proxy_ssl_certificate_cache proxy_ssl_conf_command proxy_ssl_key_log quic_active_connection_id_limit quic_bpf
quic_gso quic_host_key quic_retry ssi_ignore_recycled_buffers ssl_alpn ssl_certificate_cache
ssl_certificate_compression ssl_conf_command ssl_ech_file ssl_key_log ssl_object_cache_inheritable ssl_ocsp
ssl_ocsp_cache ssl_ocsp_responder ssl_reject_handshake userid_flags uwsgi_ssl_certificate_cache
uwsgi_ssl_conf_command uwsgi_ssl_key_log uwsgi_string
"""
NEWER = frozenset(_NEWER.split())
