"""Since which release nginx has a directive, and which module brings it."""

from __future__ import annotations

import re
from functools import cache
from typing import Dict, FrozenSet, Optional, Tuple

from deploykit.parsers.nginx import known

Version = Tuple[int, ...]

_SINCE = """
1.17.1: limit_req_dry_run
1.17.6: limit_conn_dry_run
1.17.10: auth_delay
1.19.0: ssl_ocsp ssl_ocsp_cache ssl_ocsp_responder
1.19.3: proxy_cookie_flags userid_flags
1.19.4: grpc_ssl_conf_command proxy_smtp_auth proxy_ssl_conf_command ssl_conf_command ssl_reject_handshake
    uwsgi_ssl_conf_command
1.19.10: keepalive_time
1.21.0: max_errors
1.21.4: mp4_start_key_frame proxy_half_close ssl_alpn
1.25.0: http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size quic_active_connection_id_limit quic_bpf
    quic_gso quic_host_key quic_retry
1.25.1: http2
1.25.5: pass
1.27.2: proxy_pass_trailers
1.27.4: grpc_ssl_certificate_cache keepalive_min_timeout proxy_ssl_certificate_cache ssl_certificate_cache
    ssl_object_cache_inheritable uwsgi_ssl_certificate_cache
1.29.0: early_hints
1.29.1: ssl_certificate_compression
1.29.3: add_header_inherit add_trailer_inherit
1.29.4: ssl_ech_file
1.29.8: max_headers
1.31.0: proxy_ssl_alpn tunnel_bind tunnel_buffer_size tunnel_connect_timeout tunnel_next_upstream
    tunnel_next_upstream_timeout tunnel_next_upstream_tries tunnel_pass tunnel_read_timeout tunnel_send_lowat
    tunnel_send_timeout tunnel_socket_keepalive
1.31.3: fastcgi_socket_rcvbuf fastcgi_socket_sndbuf grpc_socket_rcvbuf grpc_socket_sndbuf proxy_socket_rcvbuf
    proxy_socket_sndbuf scgi_socket_rcvbuf scgi_socket_sndbuf tunnel_socket_rcvbuf tunnel_socket_sndbuf
    uwsgi_socket_rcvbuf uwsgi_socket_sndbuf xml_external_entities
1.31.5: client_body_early_read
"""
_OLDER = frozenset(("degradation", "degrade", "proxy", "proxy_downstream_buffer", "proxy_upstream_buffer"))
_REMOVED = {"ssl": (1, 25, 1), **{f"spdy_{end}": (1, 19, 7) for end in ("chunk_size", "headers_comp", "keepalive_timeout")}}
# Directives of modules that are not part of every build, by the name that nginx -V and the module's file give the module.
_OWN = """
http_ssl_module: ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_session_cache ssl_session_timeout
http_v2_module: http2 http2_push http2_push_preload http2_max_concurrent_streams http2_chunk_size
http_v3_module: http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size quic_gso quic_retry quic_host_key
http_realip_module: set_real_ip_from real_ip_header real_ip_recursive
http_stub_status_module: stub_status
http_auth_request_module: auth_request auth_request_set
http_gzip_static_module: gzip_static
http_gunzip_module: gunzip gunzip_buffers
http_sub_module: sub_filter sub_filter_once sub_filter_types sub_filter_last_modified
http_addition_module: add_before_body add_after_body addition_types
http_dav_module: dav_methods dav_access create_full_put_path min_delete_depth
http_flv_module: flv
http_mp4_module: mp4 mp4_buffer_size mp4_max_buffer_size
http_random_index_module: random_index
http_secure_link_module: secure_link secure_link_md5 secure_link_secret
http_slice_module: slice
http_image_filter_module: image_filter image_filter_buffer image_filter_jpeg_quality image_filter_interlace
http_xslt_module: xslt_stylesheet xslt_types xslt_param xslt_string_param xml_entities
http_geoip_module: geoip_country geoip_city geoip_org geoip_proxy
http_perl_module: perl perl_set perl_modules perl_require
http_js_module: js_import js_set js_content js_include js_path js_var
stream_module: stream
mail_module: mail
"""
# Directives of other people's modules, and a word of the module's name.
_FOREIGN = (
    ("headers_more", r"more_(?:set|clear)_"),
    ("brotli", r"brotli"),
    ("zstd", r"zstd"),
    ("lua", r"lua_|\w+_by_lua(?:_block|_file)?\Z|lua\Z"),
    ("geoip2", r"geoip2"),
    ("echo", r"echo\Z|echo_"),
    ("vhost_traffic", r"vhost_traffic_"),
    ("modsecurity", r"modsecurity|ModSecurity"),
    ("naxsi", r"(?:SecRules|Learning|Denied|Check|Basic|Main)[A-Z]\w+|LibInjection\w*|naxsi"),
    ("passenger", r"passenger"),
    ("pagespeed", r"pagespeed"),
    ("rtmp", r"rtmp"),
    ("cache_purge", r"(?:fastcgi|proxy|scgi|uwsgi)_cache_purge"),
    ("fancyindex", r"fancyindex"),
    ("auth_pam", r"auth_pam"),
    ("dav_ext", r"dav_ext"),
    ("upload", r"upload_|track_uploads|report_uploads"),
    ("subs", r"subs_filter"),
    ("nchan", r"nchan_|push_stream|push_(?:publisher|subscriber|channels|store|message|max|min)"),
    ("otel", r"otel_|opentelemetry|opentracing|zipkin|jaeger|datadog"),
    ("ldap", r"auth_ldap|ldap_server"),
    ("auth_digest", r"auth_digest"),
    ("auth_spnego", r"auth_gss"),
    ("set_misc", r"set_(?:un)?(?:escape|quote|hash|encode|decode|md5|sha1|hmac|secure|random|rotate|local|formatted|if_empty)"),
    (
        "openresty",
        r"redis2?_|srcache_|memc_|drizzle_|postgres_|rds_|eval|encrypted_session|array_|xss_|iconv|form_input|set_form",
    ),
    ("concat", r"concat"),
    ("upstream_check", r"check\Z|check_"),
    ("upstream_fair", r"fair\Z"),
    ("security_headers", r"security_headers|hide_server_tokens"),
    ("testcookie", r"testcookie"),
    ("cookie_flag", r"set_cookie_flag"),
    ("vod", r"vod|hls|dash"),
    ("acme", r"acme_"),
    ("dynamic_tls", r"ssl_dyn_rec|ssl_ct"),
    ("njs", r"js_"),
    (
        "plus",
        r"keyval|auth_jwt|auth_oidc|oidc_|health_check|status_zone|api\Z|status\Z|match\Z|ntlm|queue|session_log|f4f|mgmt|zone_sync",
    ),
)
_STEADY = ("headers_more", "brotli", "lua", "geoip2", "echo", "modsecurity", "cache_purge", "fancyindex", "auth_pam", "nchan")
_BUILD_TELLS = frozenset(("http_ssl_module", "http_realip_module", "http_v2_module", "http_stub_status_module"))


def _read(text: str) -> Dict[str, str]:
    """Name -> what stands before the colon; a line that begins with a blank continues the one before it."""
    lines = (line.split(":") for line in text.replace("\n    ", " ").strip().splitlines())
    return {name: key for key, names in lines for name in names.split()}


SINCE: Dict[str, Version] = {name: tuple(map(int, version.split("."))) for name, version in _read(_SINCE).items()}
MODULES = _read(_OWN)
_STRANGERS = tuple((word, re.compile(pattern)) for word, pattern in _FOREIGN)


def since(name: str, args: Tuple[str, ...] = ()) -> Optional[Version]:
    """The first release that has the directive, None when every one in use does."""
    if name == "listen" and "quic" in args:
        return (1, 25, 0)
    return SINCE.get(name)


def removed(name: str) -> Optional[Version]:
    """The first release that has the directive no more, None when it is still there."""
    return _REMOVED.get(name)


def is_directive(name: str) -> bool:
    """Is there a directive of this name, in nginx or in a widely used module of other people's?"""
    return known(name) or name in SINCE or name in _OLDER or bool(foreign(name))


@cache
def foreign(name: str) -> str:
    """A word of the name of the other people's module that brings the directive, ``""`` when none is known to."""
    return next((word for word, pattern in _STRANGERS if pattern.match(name)), "")


def plain_name(module: str) -> str:
    """``modules/ngx_http_geoip_module.so`` -> ``http_geoip_module``."""
    name = module.rpartition("/")[2]
    name = name[:-3] if name.endswith(".so") else name
    return (name[4:] if name.startswith("ngx_") else name).replace("-", "_")


def lacks(modules: FrozenSet[str], wanted: str) -> bool:
    """Is the module of that name surely not there?

    modules: as ``nginx -V`` (behind ``--with-``) and the files of loadable ones call them. Only a list that tells what is built
    in can say so, and of other people's modules only those that always carry their usual name.
    """
    names = {plain_name(name) for name in modules}
    short = wanted.replace("_module", "")
    judged = wanted in MODULES.values() or wanted in _STEADY
    return judged and bool(names & _BUILD_TELLS) and not any(short in name for name in names)
