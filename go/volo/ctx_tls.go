// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"strconv"
	"strings"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// TLSState is what a handshake has found out.
type TLSState struct {
	// Version is [tls.VersionTLS12] or [tls.VersionTLS13].
	Version uint16
	// CipherSuite is the cipher's number, as crypto/tls has it.
	CipherSuite uint16
	// Cipher is its name, as OpenSSL has it.
	Cipher string
	// ServerName is what the client asked for, in lower case; empty if nothing.
	ServerName string
	// ClientSubject is whom the client's certificate, which was verified, is
	// for, as RFC 2253 writes it ("CN=anna,O=Example"); empty without one.
	ClientSubject string
}

// ClientName is ClientSubject taken apart.
func (s *TLSState) ClientName() pkix.Name {
	var name pkix.Name
	parts := readSubject(s.ClientSubject)
	name.FillFromRDNSequence(&parts)
	return name
}

// TLS is how the connection is secured; nil if it is not.
func (c *Ctx) TLS() *TLSState { return tlsOf(c.on().job.Cx) }

func tlsOf(cx unsafe.Pointer) *TLSState {
	var version uint16
	switch cvolo.TLSVersion(cx) {
	case 12:
		version = tls.VersionTLS12
	case 13:
		version = tls.VersionTLS13
	default:
		return nil
	}
	cipher := cvolo.TLSCipher(cx).String()
	return &TLSState{
		Version:       version,
		CipherSuite:   cipherSuites[cipher],
		Cipher:        cipher,
		ServerName:    cvolo.TLSServerName(cx).String(),
		ClientSubject: cvolo.TLSClientSubject(cx).String(),
	}
}

// cipherSuites are the numbers of ciphers, by OpenSSL's names.
var cipherSuites = map[string]uint16{
	"TLS_AES_128_GCM_SHA256":        tls.TLS_AES_128_GCM_SHA256,
	"TLS_AES_256_GCM_SHA384":        tls.TLS_AES_256_GCM_SHA384,
	"TLS_CHACHA20_POLY1305_SHA256":  tls.TLS_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// ---- Names as of RFC 2253 ------------------------------------------------------

// readSubject takes a name apart, as OpenSSL writes it: the last part first.
func readSubject(text string) pkix.RDNSequence {
	var all pkix.RDNSequence
	for text != "" {
		var set pkix.RelativeDistinguishedNameSET
		more := true
		for more && text != "" {
			kind, rest, _ := strings.Cut(text, "=")
			var value string
			value, text, more = readValue(rest)
			set = append(pkix.RelativeDistinguishedNameSET{{Type: attributeType(kind), Value: value}}, set...)
		}
		all = append(pkix.RDNSequence{set}, all...)
	}
	return all
}

// readValue reads a value up to its end; more: what follows belongs to the same
// part.
func readValue(text string) (value, rest string, more bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ',', '+':
			return b.String(), text[i+1:], c == '+'
		case '\\':
			skip := readEscape(&b, text[i+1:])
			i += skip
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", false
}

// readEscape reads what follows a backslash: two digits of an octet, or one
// octet that means itself.
func readEscape(b *strings.Builder, text string) int {
	if len(text) >= 2 {
		if octet, err := hex.DecodeString(text[:2]); err == nil {
			b.WriteByte(octet[0])
			return 2
		}
	}
	if text == "" {
		return 0
	}
	b.WriteByte(text[0])
	return 1
}

var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "SN": {2, 5, 4, 4}, "serialNumber": {2, 5, 4, 5}, "C": {2, 5, 4, 6},
	"L": {2, 5, 4, 7}, "ST": {2, 5, 4, 8}, "street": {2, 5, 4, 9}, "O": {2, 5, 4, 10},
	"OU": {2, 5, 4, 11}, "title": {2, 5, 4, 12}, "postalCode": {2, 5, 4, 17}, "GN": {2, 5, 4, 42},
	"UID": {0, 9, 2342, 19200300, 100, 1, 1}, "DC": {0, 9, 2342, 19200300, 100, 1, 25},
	"emailAddress": {1, 2, 840, 113549, 1, 9, 1},
}

// attributeType is the type that a name stands for, or that is written as
// numbers; nil for one that is not known.
func attributeType(name string) asn1.ObjectIdentifier {
	if known := attributeTypes[name]; known != nil {
		return known
	}
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(name, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		id = append(id, n)
	}
	return id
}
