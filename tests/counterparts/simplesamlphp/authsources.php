<?php
// Two people, and attributes under the names that Entra and most products use.
$claims = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';

$config = [
    'users' => [
        'exampleauth:UserPass',
        'alice:alice' => [
            'uid' => ['alice'],
            'email' => ['alice@acme.test'],
            $claims . 'givenname' => ['Alice'],
            $claims . 'surname' => ['Ångström & <Söhne>'],
            'groups' => ['staff', 'engineering'],
        ],
        'carol:carol' => [
            'uid' => ['carol'],
            'email' => ['carol@acme.test'],
        ],
    ],
];
