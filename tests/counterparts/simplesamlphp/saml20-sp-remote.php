<?php
// The gateway, as the operator of this identity provider registers it.
$metadata[getenv('SP_ENTITY_ID')] = [
    'AssertionConsumerService' => [[
        'Binding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
        'Location' => getenv('SP_ACS'),
        'index' => 0,
        'isDefault' => true,
    ]],
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'simplesaml.nameidattribute' => 'uid',
    // With a certificate it takes signed requests alone.
    'validate.authnrequest' => getenv('SP_CERTIFICATE') !== '',
    'certData' => getenv('SP_ENCRYPTION') ?: getenv('SP_CERTIFICATE') ?: null,
    'assertion.encryption' => getenv('SP_ENCRYPTION') !== '',
    'saml20.sign.response' => getenv('IDP_SIGN_RESPONSE') !== 'no',
    'saml20.sign.assertion' => getenv('IDP_SIGN_ASSERTION') !== 'no',
];
