"""The variables that nginx's own modules make, of http and stream alike."""

from __future__ import annotations

import re

_NAMES = """
ancient_browser args binary_remote_addr body_bytes_sent bytes_received bytes_sent connection connection_requests
connection_time connections_active connections_reading connections_waiting connections_writing content_length
content_type date_gmt date_local document_root document_uri fastcgi_path_info fastcgi_script_name
grpc_internal_trailers gzip_ratio host hostname http2 http3 https invalid_referer is_args is_request_port limit_conn_status
limit_rate limit_req_status memcached_key modern_browser msec msie nginx_version pid pipe protocol
proxy_add_via proxy_add_x_forwarded_for proxy_host proxy_internal_body_length proxy_internal_chunked
proxy_internal_connection proxy_internal_host proxy_port proxy_protocol_addr proxy_protocol_port
proxy_protocol_server_addr proxy_protocol_server_port query_string realip_remote_addr realip_remote_port
realpath_root remote_addr remote_port remote_user request request_body request_body_file request_completion
request_filename request_id request_length request_method request_port request_time request_uri scheme
secure_link secure_link_expires server_addr server_name server_port server_protocol session_time slice_range
spdy spdy_request_priority status time_iso8601 time_local uid_got uid_reset uid_set uri
tcpinfo_rcv_space tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd
upstream_addr upstream_bytes_received upstream_bytes_sent upstream_cache_age upstream_cache_etag
upstream_cache_key upstream_cache_last_modified upstream_cache_status upstream_connect_time
upstream_first_byte_time upstream_header_time upstream_last_server_name upstream_queue_time
upstream_response_length upstream_response_time upstream_session_time upstream_status
"""
_FAMILIES = """
arg_ cookie_ geoip_ http_ jwt_ proxy_protocol_tlv_ sent_http_ sent_trailer_ session_log_ ssl_ ssl_preread_
trailer_ upstream_cookie_ upstream_http_ upstream_trailer_
"""
BUILT_IN = frozenset(_NAMES.split())
_OPEN = re.compile(f"(?:{'|'.join(_FAMILIES.split())})|[0-9]+\\Z")


def built_in(name: str) -> bool:
    """Is it a variable of nginx's own modules? nginx does not look at the case of a variable's name."""
    lower = name.lower()
    return lower in BUILT_IN or bool(_OPEN.match(lower))
