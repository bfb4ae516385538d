<?php
// SimpleSAMLphp as an identity provider for one test. Everything that differs between two tests is in the environment.
$base = getenv('IDP_BASE');
$work = getenv('IDP_WORK');

$config = [
    'baseurlpath' => $base . '/simplesaml/',
    'certdir' => $work . '/cert/',
    'loggingdir' => $work . '/log/',
    'datadir' => $work . '/data/',
    'tempdir' => $work . '/tmp/',
    'metadatadir' => $work . '/metadata/',
    'debug' => null,
    'showerrors' => true,
    'errorreporting' => false,
    'logging.level' => SimpleSAML\Logger::WARNING,
    'logging.handler' => 'file',
    'secretsalt' => 'only-for-tests-only-for-tests-only',
    'auth.adminpassword' => 'only-for-tests',
    'technicalcontact_name' => 'Test',
    'technicalcontact_email' => 'test@idp.test',
    'timezone' => 'UTC',
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'exampleauth' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.phpsession.savepath' => $work . '/tmp',
    'store.type' => 'phpsession',
    'language.default' => 'en',
    'metadata.sources' => [['type' => 'flatfile']],
    'production' => true,
    'trusted.url.domains' => null,
];
