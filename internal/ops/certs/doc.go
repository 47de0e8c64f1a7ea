// Package certs has the certificates of the TLS listeners: from PEM files that are
// read again when they change ([Files]), or from an ACME authority ([ACME]), or
// both ([Chain]: what ACME has, else the files).
//
// What it is not: a TLS listener, or a check of anybody else's certificate.
//
// A listener asks by GetCertificate at each handshake and is told the certificate
// of that moment. Connections that stand are not touched by a change.
//
// Goroutines: one per [Files] that is watched, until its context ends; those of
// certmagic, until [ACME.Close].
//
// RFC 8555 (ACME), §8.3 (HTTP-01); RFC 8737 (TLS-ALPN-01); RFC 6066 §3 (server name).
package certs
