# The job for `puppet apply`: every file is validated by itself before it is replaced, the whole by a test before the reload.
$base    = lookup('base')
$account = lookup('account')
$team    = lookup('team')
$workers = lookup('workers')
$port    = lookup('port')
$sites   = lookup('sites')

$nginx = $facts['bench_nginx']
$fpm = $facts['bench_fpm']
$templates = "${facts['bench_templates']}/epp"
$shared = { 'base' => $base, 'account' => $account, 'team' => $team, 'workers' => $workers, 'port' => $port }
$vhost = file("${templates}/vhost.conf.epp")
$pool = file("${templates}/pool.conf.epp")

Exec { path => '/usr/sbin:/usr/bin:/sbin:/bin' }
File { ensure => file, mode => '0644', backup => false }

file { "${nginx}/nginx.conf":
  content => inline_epp(file("${templates}/nginx.conf.epp"), $shared),
  notify  => Exec['test nginx'],
}
$sites.each |$site| {
  file { "${nginx}/conf.d/${site['name']}.conf":
    content      => inline_epp($vhost, $shared + { 'site' => $site }),
    validate_cmd => "/bin/sh ${facts['bench_peers']}/check_vhost.sh %",
    notify       => Exec['test nginx'],
  }
  file { "${fpm}/pool.d/${site['name']}.conf":
    content      => inline_epp($pool, $shared + { 'site' => $site }),
    validate_cmd => "/bin/sh ${facts['bench_peers']}/check_pool.sh %",
    notify       => Exec['test php-fpm'],
  }
}
exec { 'test nginx': command => "nginx -q -t -c ${nginx}/nginx.conf", refreshonly => true, notify => Exec['reload nginx'] }
exec { 'test php-fpm': command => "${facts['bench_fpm_binary']} -t -y ${fpm}/php-fpm.conf", refreshonly => true, notify => Exec['reload php-fpm'] }
exec { 'reload nginx': command => "sh -c 'kill -HUP \$(cat ${facts['bench_nginx_pid']})'", refreshonly => true }
exec { 'reload php-fpm': command => "sh -c 'kill -USR2 \$(cat ${facts['bench_fpm_pid']})'", refreshonly => true }
