"""What kind of value nginx's directives take, and which of them may stand only once in a block.

A directive is listed under a kind only if it has that one kind in every module that knows it. ``FOUR_x`` stands for the four
modules that pass requests on with a cache, ``ALL_x`` for all that pass requests on.
"""

from __future__ import annotations

from typing import FrozenSet

_FAMILIES = {
    "FOUR": ("fastcgi", "proxy", "scgi", "uwsgi"),
    "ALL": ("fastcgi", "grpc", "memcached", "proxy", "scgi", "tunnel", "uwsgi"),
}


def _names(text: str) -> FrozenSet[str]:
    split = [word.partition("_") for word in text.split()]
    return frozenset(f"{family}{_}{rest}" for first, _, rest in split for family in _FAMILIES.get(first, (first,)))


# Bytes: digits, then perhaps k or m.
SIZES = _names(
    """
    ALL_buffer_size FOUR_busy_buffers_size FOUR_max_temp_file_size FOUR_temp_file_write_size client_body_buffer_size
    client_header_buffer_size connection_pool_size fastcgi_send_lowat fastcgi_socket_rcvbuf fastcgi_socket_sndbuf
    grpc_socket_rcvbuf grpc_socket_sndbuf gzip_hash gzip_min_length gzip_window http2_body_preread_size
    http2_chunk_size http2_pool_size http2_recv_buffer_size http3_stream_buffer_size image_filter_buffer
    imap_client_buffer mp4_buffer_size mp4_max_buffer_size postpone_gzipping postpone_output preread_buffer_size
    proxy_buffer proxy_downstream_buffer proxy_send_lowat proxy_socket_rcvbuf proxy_socket_sndbuf
    proxy_upstream_buffer read_ahead request_pool_size scgi_socket_rcvbuf scgi_socket_sndbuf send_lowat
    sendfile_max_chunk slice smtp_client_buffer ssi_min_file_chunk ssi_value_length ssl_buffer_size
    subrequest_output_buffer_size tunnel_send_lowat tunnel_socket_rcvbuf tunnel_socket_sndbuf uwsgi_socket_rcvbuf
    uwsgi_socket_sndbuf
    """
)

# Bytes: digits, then perhaps k, m or g.
OFFSETS = _names("FOUR_cache_max_range_offset client_max_body_size directio_alignment worker_rlimit_core")

# Times with ms.
MILLISECONDS = _names(
    """
    ALL_connect_timeout ALL_next_upstream_timeout ALL_read_timeout ALL_send_timeout FOUR_cache_lock_age
    FOUR_cache_lock_timeout accept_mutex_delay auth_delay auth_http_timeout client_body_timeout client_header_timeout
    keepalive_min_timeout keepalive_time lingering_time lingering_timeout preread_timeout proxy_protocol_timeout
    proxy_timeout resolver_timeout send_timeout smtp_greeting_delay ssl_handshake_timeout timeout timer_resolution
    worker_shutdown_timeout
    """
)

# Times without ms.
SECONDS = _names("open_file_cache_valid ssl_session_timeout")

# Digits.
NUMBERS = _names(
    """
    ALL_next_upstream_tries FOUR_cache_min_uses devpoll_changes devpoll_events epoll_events eventport_events
    grpc_ssl_verify_depth gzip_comp_level http2_max_concurrent_streams http2_streams_index_size
    http3_max_concurrent_streams iocp_threads keepalive_requests kqueue_changes kqueue_events limit_conn_status
    limit_req_status map_hash_bucket_size map_hash_max_size max_errors max_headers max_ranges memcached_gzip_flag
    min_delete_depth open_file_cache_min_uses post_acceptex proxy_headers_hash_bucket_size proxy_headers_hash_max_size
    proxy_requests proxy_responses proxy_ssl_verify_depth quic_active_connection_id_limit referer_hash_bucket_size
    referer_hash_max_size server_names_hash_bucket_size server_names_hash_max_size ssl_verify_depth
    types_hash_bucket_size types_hash_max_size userid_service uwsgi_modifier1 uwsgi_modifier2 uwsgi_ssl_verify_depth
    variables_hash_bucket_size variables_hash_max_size worker_aio_requests worker_rlimit_nofile
    """
)

# A number and a size.
BUFFERS = _names("FOUR_buffers gunzip_buffers gzip_buffers large_client_header_buffers output_buffers")

# on or off.
FLAGS = _names(
    """
    ALL_socket_keepalive FOUR_buffering FOUR_cache_background_update FOUR_cache_lock FOUR_cache_revalidate
    FOUR_force_ranges FOUR_ignore_client_abort FOUR_pass_request_body FOUR_pass_request_headers FOUR_request_buffering
    absolute_redirect accept_mutex acceptex_read aio_write auth_http_pass_client_cert autoindex autoindex_exact_size
    autoindex_localtime chunked_transfer_encoding client_body_in_single_buffer create_full_put_path daemon etag
    fastcgi_intercept_errors fastcgi_keep_conn geoip_proxy_recursive grpc_intercept_errors grpc_ssl_server_name
    grpc_ssl_session_reuse grpc_ssl_verify gunzip gzip gzip_no_buffer gzip_vary http2 http3 http3_hq
    ignore_invalid_headers image_filter_interlace image_filter_transparency limit_conn_dry_run limit_req_dry_run
    log_not_found log_subrequest master_process merge_slashes mirror_request_body mp4_start_key_frame msie_padding
    msie_refresh multi_accept open_file_cache_errors open_file_cache_events override_charset pcre_jit port_in_redirect
    proxy_ proxy_cache_convert_head proxy_half_close proxy_intercept_errors proxy_pass_error_message
    proxy_pass_trailers proxy_smtp_auth proxy_ssl proxy_ssl_server_name proxy_ssl_session_reuse proxy_ssl_verify
    quic_bpf quic_gso quic_retry random_index real_ip_recursive recursive_error_pages reset_timedout_connection
    rewrite_log scgi_intercept_errors sendfile server_name_in_redirect ssi ssi_ignore_recycled_buffers
    ssi_last_modified ssi_silent_errors ssl_certificate_compression ssl_early_data ssl_object_cache_inheritable
    ssl_prefer_server_ciphers ssl_preread ssl_reject_handshake ssl_session_tickets ssl_stapling ssl_stapling_verify
    sub_filter_last_modified sub_filter_once tcp_nodelay tcp_nopush underscores_in_headers uninitialized_variable_warn
    uwsgi_intercept_errors uwsgi_ssl_server_name uwsgi_ssl_session_reuse uwsgi_ssl_verify xclient
    xml_external_entities xslt_last_modified
    """
)

# Others that nginx calls duplicate when they stand twice in a block.
SINGLE = _names(
    """
    ALL_bind ALL_pass FOUR_cache FOUR_cache_key FOUR_store FOUR_store_access FOUR_temp_path add_after_body
    add_before_body add_header_inherit add_trailer_inherit aio alias auth_basic auth_basic_user_file auth_request
    autoindex_format charset client_body_in_file_only client_body_temp_path dav_access debug_points default_type
    degrade directio disable_symlinks events expires fastcgi_index geoip_city geoip_country geoip_org
    google_perftools_profiles grpc_ssl_ciphers grpc_ssl_crl grpc_ssl_name grpc_ssl_password_file
    grpc_ssl_trusted_certificate gzip_http_version gzip_static http http2_max_concurrent_pushes http2_push
    if_modified_since internal keepalive keepalive_timeout limit_conn_log_level limit_rate limit_rate_after
    limit_req_log_level lingering_close lock_file mail open_file_cache open_log_file_cache pass pid post_action
    proxy_http_version proxy_method proxy_protocol proxy_set_body proxy_ssl_certificate proxy_ssl_certificate_key
    proxy_ssl_ciphers proxy_ssl_crl proxy_ssl_trusted_certificate quic_host_key real_ip_header resolver root satisfy
    secure_link secure_link_md5 secure_link_secret server_tokens source_charset ssl_alpn ssl_certificate_cache
    ssl_ciphers ssl_client_certificate ssl_crl ssl_dhparam ssl_ecdh_curve ssl_engine ssl_ocsp ssl_ocsp_cache
    ssl_ocsp_responder ssl_password_file ssl_stapling_file ssl_stapling_responder ssl_trusted_certificate
    ssl_verify_client stream tcp_nodelay try_files use user userid userid_domain userid_expires userid_mark
    userid_name userid_p3p userid_path uwsgi_ssl_ciphers uwsgi_ssl_crl uwsgi_ssl_name uwsgi_ssl_password_file
    uwsgi_ssl_trusted_certificate uwsgi_string worker_connections worker_cpu_affinity worker_priority worker_processes
    working_directory xml_entities
    """
)

ONCE = SIZES | OFFSETS | MILLISECONDS | SECONDS | NUMBERS | BUFFERS | FLAGS | SINGLE
