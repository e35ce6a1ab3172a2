"""Names of php.ini settings, of PHP 7.4 to 8.5: those that PHP itself and the parts built into it bring.

Names of other extensions are not listed, only what they begin with: what an extension takes differs from version to version.
"""

from __future__ import annotations

_KNOWN = """
allow_url_fopen allow_url_include arg_separator.input arg_separator.output assert.active assert.bail assert.callback
assert.exception assert.quiet_eval assert.warning auto_append_file auto_detect_line_endings auto_globals_jit
auto_prepend_file browscap cgi.check_shebang_line cgi.discard_path cgi.fix_pathinfo cgi.force_redirect cgi.nph
cgi.redirect_status_env cgi.rfc2616_headers date.default_latitude date.default_longitude date.sunrise_zenith
date.sunset_zenith date.timezone default_charset default_mimetype default_socket_timeout disable_classes
disable_functions display_errors display_startup_errors doc_root docref_ext docref_root enable_dl
enable_post_data_reading error_append_string error_include_args error_log error_log_mode error_prepend_string
error_reporting exif.decode_jis_intel exif.decode_jis_motorola exif.decode_unicode_intel exif.decode_unicode_motorola
exif.encode_jis exif.encode_unicode expose_php extension extension_dir fastcgi.error_header fastcgi.impersonate
fastcgi.logging fatal_error_backtraces ffi.enable ffi.preload fiber.stack_size file_uploads filter.default
filter.default_flags fpm.config from hard_timeout highlight.comment highlight.default highlight.html highlight.keyword
highlight.string html_errors iconv.input_encoding iconv.internal_encoding iconv.output_encoding
ignore_repeated_errors ignore_repeated_source ignore_user_abort implicit_flush include_path input_encoding
internal_encoding log_errors log_errors_max_len mail.add_x_header mail.cr_lf_mode mail.force_extra_parameters mail.log
mail.mixed_lf_and_crlf max_execution_time max_file_uploads max_input_nesting_level max_input_time max_input_vars
max_memory_limit max_multipart_body_parts memory_limit opcache.blacklist_filename opcache.consistency_checks
opcache.dups_fix opcache.enable opcache.enable_cli opcache.enable_file_override opcache.error_log opcache.file_cache
opcache.file_cache_consistency_checks opcache.file_cache_fallback opcache.file_cache_only
opcache.file_cache_read_only opcache.file_update_protection opcache.force_restart_timeout opcache.huge_code_pages
opcache.interned_strings_buffer opcache.jit opcache.jit_bisect_limit opcache.jit_blacklist_root_trace
opcache.jit_blacklist_side_trace opcache.jit_buffer_size opcache.jit_debug opcache.jit_hot_func opcache.jit_hot_loop
opcache.jit_hot_return opcache.jit_hot_side_exit opcache.jit_max_exit_counters opcache.jit_max_loop_unrolls
opcache.jit_max_polymorphic_calls opcache.jit_max_recursive_calls opcache.jit_max_recursive_returns
opcache.jit_max_root_traces opcache.jit_max_side_traces opcache.jit_max_trace_length opcache.jit_prof_threshold
opcache.lockfile_path opcache.log_verbosity_level opcache.max_accelerated_files opcache.max_file_size
opcache.max_wasted_percentage opcache.memory_consumption opcache.mmap_base opcache.opt_debug_level
opcache.optimization_level opcache.preferred_memory_model opcache.preload opcache.preload_user opcache.protect_memory
opcache.record_warnings opcache.restrict_api opcache.revalidate_freq opcache.revalidate_path opcache.save_comments
opcache.use_cwd opcache.validate_permission opcache.validate_root opcache.validate_timestamps open_basedir
openssl.cafile openssl.capath openssl.libctx output_buffering output_encoding output_handler pcre.backtrack_limit
pcre.jit pcre.recursion_limit phar.cache_list phar.readonly phar.require_hash post_max_size precision
realpath_cache_size realpath_cache_ttl register_argc_argv report_memleaks report_zend_debug request_order
sendmail_from sendmail_path serialize_precision session.auto_start session.cache_expire session.cache_limiter
session.cookie_domain session.cookie_httponly session.cookie_lifetime session.cookie_partitioned session.cookie_path
session.cookie_samesite session.cookie_secure session.gc_divisor session.gc_maxlifetime session.gc_probability
session.lazy_write session.name session.referer_check session.save_handler session.save_path
session.serialize_handler session.sid_bits_per_character session.sid_length session.trans_sid_hosts
session.trans_sid_tags session.upload_progress.cleanup session.upload_progress.enabled session.upload_progress.freq
session.upload_progress.min_freq session.upload_progress.name session.upload_progress.prefix session.use_cookies
session.use_only_cookies session.use_strict_mode session.use_trans_sid short_open_tag SMTP smtp_port sys_temp_dir
syslog.facility syslog.filter syslog.ident unserialize_callback_func unserialize_max_depth upload_max_filesize
upload_tmp_dir url_rewriter.hosts url_rewriter.tags user_agent user_dir user_ini.cache_ttl user_ini.filename
variables_order windows.show_crt_warning xmlrpc_error_number xmlrpc_errors zend.assertions zend.detect_unicode
zend.enable_gc zend.exception_ignore_args zend.exception_string_param_max_len zend.max_allowed_stack_size
zend.multibyte zend.reserved_stack_size zend.script_encoding zend.signal_check zlib.output_compression
zlib.output_compression_level zlib.output_handler
"""

# Once known to PHP, and without effect since 7.4 at the latest or 8.0: harmless, but of no use.
_GONE = """
allow_call_time_pass_reference always_populate_raw_post_data asp_tags define_syslog_variables hard_timeout
highlight.bg magic_quotes_gpc magic_quotes_runtime magic_quotes_sybase mail.force_extra_paramaters
opcache.fast_shutdown opcache.inherited_hack opcache.load_comments opcache.enable_slow_optimizations
register_globals register_long_arrays safe_mode safe_mode_allowed_env_vars safe_mode_exec_dir safe_mode_gid
safe_mode_include_dir safe_mode_protected_env_vars session.bug_compat_42 session.bug_compat_warn
session.entropy_file session.entropy_length session.hash_bits_per_character session.hash_function
sql.safe_mode track_errors y2k_compliance zend.ze1_compatibility_mode
"""

_EXTENSIONS = """
apc apcu apd bcmath blackfire browscap brotli cassandra com couchbase curl datadog ddtrace dba elastic_apm event exif ffi gd
geoip gmagick gnupg grpc hhvm htscanner ibase igbinary imagick imap intl ioncube krb5 ldap libxml luasandbox lzf magic
mailparse mbstring mcrypt memcache memcached memprof mongo mongodb msgpack mssql mysql mysqli mysqlnd mysqlnd_ms
mysqlnd_qc newrelic oauth oci8 odbc opcache opentelemetry pcntl pcov pdo pdo_mysql pdo_odbc pdo_pgsql pdo_sqlite
pdo_sqlsrv pgsql phalcon pinba protobuf psr rdkafka readline redis relay runkit scoutapm sentry snuffleupagus soap
sockets solr sourceguardian sqlite sqlite3 sqlsrv ssh2 stats suhosin swoole openswoole sybase sybct sysvshm tideways
tidy tokyo_tyrant trader uopz uploadprogress uuid uv v8js wddx wincache wkhtmltox xcache xdebug xhprof xmlrpc xsl
yac yaconf yaf yaml yar zip zstd zend_debugger zend_loader zend_optimizer zend_optimizerplus zend_monitor zend_extension_manager
"""

# Parts of PHP whose names are all listed above: another one that begins like this does not exist.
_OWN_PARTS = """
arg_separator assert cgi date fastcgi filter highlight mail opcache pcre phar session syslog url_rewriter user_ini zend
zlib
"""
OWN_PARTS = frozenset(_OWN_PARTS.split())
KNOWN = frozenset(_KNOWN.split())
GONE = frozenset(_GONE.split())
EXTENSIONS = frozenset(_EXTENSIONS.split()) - OWN_PARTS
