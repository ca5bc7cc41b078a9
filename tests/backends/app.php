<?php
// PHP's own server with a front controller, as many small apps have it: /index.php/admin is /admin.
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '');
$path = preg_replace('#^/index\.php(?=/|$)#', '', $path);
parse_str(file_get_contents('php://input'), $form);
$method = strtoupper($_GET['_method'] ?? $form['_method'] ?? $_SERVER['REQUEST_METHOD']);
echo match (true) {
    str_starts_with($path, '/admin/') => 'admin',
    preg_match('#^/settings$#i', $path) === 1 => 'settings',
    $path === '/members' => 'members',
    str_starts_with($path, '/items/') && $method === 'POST' => 'changed',
    str_starts_with($path, '/items/') && $method === 'DELETE' => 'deleted',
    default => 'open',
};
