// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"unsafe"
)

// connectionState is what net/http says of TLS; nil without.  Of a client's
// certificate it has the subject alone.
func connectionState(cx unsafe.Pointer, version uint32) *tls.ConnectionState {
	from := tlsOf(cx)
	if from == nil {
		return nil
	}
	state := &tls.ConnectionState{
		Version:           from.Version,
		HandshakeComplete: true,
		CipherSuite:       from.CipherSuite,
		ServerName:        from.ServerName,
	}
	if version == 20 {
		state.NegotiatedProtocol = "h2"
	}
	if from.ClientSubject != "" {
		client := &x509.Certificate{Subject: from.ClientName()}
		state.PeerCertificates = []*x509.Certificate{client}
		state.VerifiedChains = [][]*x509.Certificate{{client}}
	}
	return state
}

// Push fails: browsers have given pushes up.
func (w *response) Push(string, *http.PushOptions) error { return http.ErrNotSupported }
