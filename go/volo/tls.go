// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"libvolo/go/volo/internal/cvolo"
)

// TLSConfig says how a server secures connections: TLS 1.2 and 1.3, with
// ciphers that have forward secrecy.  One may be used by several servers.  A
// zero is the default.  Its fields must not be changed once it has been used;
// what its files hold can be: see [TLSConfig.Reload].
type TLSConfig struct {
	// Certificates are what the server can show; at least one.  A client gets
	// the one that has the name which it asked for, an exact name before a
	// wildcard, and the first where none has.
	Certificates []Certificate

	// ClientAuth says whether clients are asked for a certificate.
	ClientAuth ClientAuth
	// ClientCAFile has the certificates of those who sign clients', in PEM.
	ClientCAFile string
	// ClientCRLFile has lists of revoked certificates, in PEM, one of each
	// authority: clients whom they name are refused.
	ClientCRLFile string

	// MinVersion is [tls.VersionTLS12] or [tls.VersionTLS13]; 1.2.
	MinVersion uint16
	// MaxVersion is likewise; 1.3.
	MaxVersion uint16
	// Ciphers are those of TLS 1.2, in OpenSSL's words; ECDHE with AES-GCM or
	// ChaCha20.
	Ciphers string
	// CipherSuites are those of TLS 1.3, likewise; all.
	CipherSuites string
	// Groups are for the exchange of keys; "X25519:P-256:P-384:P-521".
	Groups string
	// NextProtos is what ALPN offers, the best first; "h2", "http/1.1".
	NextProtos []string

	// Tickets is how many session tickets a client of TLS 1.3 gets; 2.  With a
	// negative number nobody gets any.
	Tickets int
	// TicketLifetime is how long one is good; 12 h.
	TicketLifetime time.Duration
	// TicketKeyFiles have keys for session tickets, each 80 random octets, so
	// that processes and hosts resume each other's sessions.  The first makes
	// tickets, all are known; whoever gives keys also changes them.  None has a
	// colon in its name.  See [TLSConfig.SetSessionTicketKeys] too.
	TicketKeyFiles []string

	// KeyLogFile gets the secrets of all connections appended, for looking
	// into captured traffic: whoever has it reads all.
	KeyLogFile string

	mu   sync.Mutex
	held *heldTLS // nil until it is used
	keys string   // as SetSessionTicketKeys was told
}

// Certificate is a certificate with its chain and key, in PEM: from files, or
// from memory.  The certificate stands first, then those that signed it.
type Certificate struct {
	// CertFile has the chain.
	CertFile string
	// KeyFile has the key; CertFile has both if it is empty.
	KeyFile string
	// CertPEM is the chain itself, where CertFile is empty.
	CertPEM []byte
	// KeyPEM is the key; CertPEM has both if it is empty.
	KeyPEM []byte
	// OCSPFile has a response in DER that is stapled; it is left out once it
	// is outdated.
	OCSPFile string
}

// ClientAuth says whether clients are asked for a certificate.
type ClientAuth uint8

const (
	// NoClientCert does not ask.
	NoClientCert ClientAuth = iota
	// OptionalClientCert accepts who has none, but none that is not good.
	OptionalClientCert
	// RequireClientCert accepts only who has a good one.
	RequireClientCert
)

type heldTLS struct{ c cvolo.Volo_tls }

// Reload reads all files again, for connections that come from now on.  All or
// nothing: if anything is wrong, all stays as it was.  Before it is used it
// reads them for the first time, to see that they will do.
//
// Errors: ErrTLS (with what is wrong), ErrInvalid, ErrNoMemory.
func (t *TLSConfig) Reload() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		_, err := t.open()
		return err
	}
	return t.held.words(cvolo.Volo_tls_reload(t.held.c))
}

// SetSessionTicketKeys gives keys for session tickets, in place of files with
// them: up to 16 of random octets.  The first makes tickets, all are known.
// They are used at once, also while servers run; without any, it has its own
// again.
//
// Errors: ErrInvalid (too many), ErrNoMemory.
func (t *TLSConfig) SetSessionTicketKeys(keys ...[80]byte) error {
	if len(keys) > 16 {
		return fmt.Errorf("%w: %d keys for tickets", ErrInvalid, len(keys))
	}
	var all strings.Builder
	for _, key := range keys {
		all.Write(key[:])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.keys = all.String()
		return nil
	}
	return t.held.words(cvolo.Volo_tls_set_ticket_keys(t.held.c, all.String()))
}

// made gives what C has of it.
func (t *TLSConfig) made() (*heldTLS, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open()
}

// open is made, with the lock.
func (t *TLSConfig) open() (*heldTLS, error) {
	if t.held != nil {
		return t.held, nil
	}
	if len(t.Certificates) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrInvalid)
	}
	var c uintptr
	if err := cvolo.Volo_tls_new(&c); err < 0 {
		return nil, Code(err)
	}
	held := &heldTLS{cvolo.SwigcptrVolo_tls(c)}
	runtime.AddCleanup(held, func(c cvolo.Volo_tls) { cvolo.DeleteVolo_tls(c) }, held.c)
	if err := t.configure(held); err != nil {
		return nil, err
	}
	t.held = held
	return held, nil
}

// configure tells C what the fields say.
func (t *TLSConfig) configure(held *heldTLS) error {
	for i, certificate := range t.Certificates {
		if err := held.add(i, certificate); err != nil {
			return err
		}
	}
	if t.ClientAuth != NoClientCert {
		if err := held.text("ClientCAFile", t.ClientCAFile, func(file string) int {
			return cvolo.Volo_tls_set_client_ca(held.c, file, int(t.ClientAuth))
		}); err != nil {
			return err
		}
	}
	if t.ClientCRLFile != "" {
		if err := held.text("ClientCRLFile", t.ClientCRLFile, func(file string) int {
			return cvolo.Volo_tls_set_client_crl(held.c, file)
		}); err != nil {
			return err
		}
	}
	if err := cmp.Or(t.numbers(held), t.texts(held)); err != nil || t.keys == "" {
		return err
	}
	return held.words(cvolo.Volo_tls_set_ticket_keys(held.c, t.keys))
}

// numbers sets what is a number.
func (t *TLSConfig) numbers(held *heldTLS) error {
	tickets := uint64(max(t.Tickets, 0))
	for _, one := range []struct {
		name   string
		set    bool
		option int
		value  uint64
	}{
		{"MinVersion", t.MinVersion != 0, int(cvolo.VOLO_TLS_MIN_VERSION), versionNumber(t.MinVersion)},
		{"MaxVersion", t.MaxVersion != 0, int(cvolo.VOLO_TLS_MAX_VERSION), versionNumber(t.MaxVersion)},
		{"Tickets", t.Tickets != 0, int(cvolo.VOLO_TLS_TICKETS), tickets},
		{"TicketLifetime", t.TicketLifetime != 0, int(cvolo.VOLO_TLS_TICKET_LIFETIME), milliseconds(t.TicketLifetime)},
	} {
		if !one.set {
			continue
		}
		if n := cvolo.Volo_tls_set(held.c, one.option, one.value); n < 0 {
			return fmt.Errorf("%w: %s", Code(n), one.name)
		}
	}
	return nil
}

// versionNumber is a version as libvolo calls it; 0 for one that it has not.
func versionNumber(version uint16) uint64 {
	switch version {
	case tls.VersionTLS12:
		return 12
	case tls.VersionTLS13:
		return 13
	}
	return 0
}

// texts sets what is a text.
func (t *TLSConfig) texts(held *heldTLS) error {
	if slices.ContainsFunc(t.TicketKeyFiles, func(file string) bool { return file == "" || strings.Contains(file, ":") }) {
		return fmt.Errorf("%w: TicketKeyFiles", ErrInvalid)
	}
	for _, one := range []struct {
		name   string
		option int
		value  string
	}{
		{"Ciphers", int(cvolo.VOLO_TLS_CIPHERS), t.Ciphers},
		{"CipherSuites", int(cvolo.VOLO_TLS_CIPHERSUITES), t.CipherSuites},
		{"Groups", int(cvolo.VOLO_TLS_GROUPS), t.Groups},
		{"NextProtos", int(cvolo.VOLO_TLS_ALPN), strings.Join(t.NextProtos, ",")},
		{"KeyLogFile", int(cvolo.VOLO_TLS_KEYLOG), t.KeyLogFile},
		{"TicketKeyFiles", int(cvolo.VOLO_TLS_TICKET_KEYS), strings.Join(t.TicketKeyFiles, ":")},
	} {
		if one.value == "" {
			continue
		}
		if err := held.text(one.name, one.value, func(text string) int {
			return cvolo.Volo_tls_set_text(held.c, one.option, text)
		}); err != nil {
			return err
		}
	}
	return nil
}

// add adds certificate number i.
func (h *heldTLS) add(i int, one Certificate) error {
	files := []string{one.CertFile, one.KeyFile, one.OCSPFile}
	if slices.ContainsFunc(files, func(s string) bool { return strings.IndexByte(s, 0) >= 0 }) {
		return ErrInvalid
	}
	var n int
	if one.CertFile != "" {
		n = cvolo.Volo_tls_add_cert(h.c, one.CertFile, one.KeyFile)
	} else {
		chain, key := string(one.CertPEM), string(one.KeyPEM)
		if key == "" {
			key = chain
		}
		n = cvolo.Volo_tls_add_cert_pem(h.c, chain, key)
	}
	if err := h.words(n); err != nil || one.OCSPFile == "" {
		return err
	}
	return h.words(cvolo.Volo_tls_set_ocsp(h.c, int64(i), one.OCSPFile))
}

// text sets something to a text.
func (h *heldTLS) text(name, value string, set func(string) int) error {
	if strings.IndexByte(value, 0) >= 0 {
		return fmt.Errorf("%w: %s", ErrInvalid, name)
	}
	if err := h.words(set(value)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// words is the error of a function of C, with what it says about it.
func (h *heldTLS) words(n int) error {
	if n >= 0 {
		return nil
	}
	if words := cvolo.Volo_tls_error(h.c); words != "" {
		return fmt.Errorf("%w (%s)", Code(n), words)
	}
	return Code(n)
}

// ---- Servers -------------------------------------------------------------------

// ListenAndServeTLS serves h on addr over TLS, see [Server].
func ListenAndServeTLS(addr, certFile, keyFile string, h Handler) error {
	return (&Server{Addr: addr, Handler: h}).ListenAndServeTLS(certFile, keyFile)
}

// ListenTLS is [Server.Listen] for connections over TLS, HTTP/2 and HTTP/1.1 as
// ALPN says.  With a nil config it is that of [Server.TLSConfig].
//
// Errors: as of Listen, and ErrTLS (with what is wrong).
func (s *Server) ListenTLS(addr string, config *TLSConfig) error {
	if config == nil {
		config = s.TLSConfig
	}
	if config == nil {
		return errNoTLS
	}
	held, err := config.made()
	if err != nil {
		return fmt.Errorf("listen %s: %w", addr, err)
	}
	return s.listen(addr, func() int {
		defer runtime.KeepAlive(held)
		return cvolo.Volo_server_bind_tls(s.c, addr, held.c)
	})
}

var errNoTLS = errors.New("volo: TLS without a certificate")

// ListenAndServeTLS is [Server.ListenAndServe] over TLS, on ":8443" if there is
// no Addr.  The files hold a certificate with its chain and its key, for a
// server that has no certificate in its TLSConfig; else they may be empty.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	s.mu.Lock()
	if s.TLSConfig == nil {
		s.TLSConfig = &TLSConfig{}
	}
	config, bound := s.TLSConfig, s.bound > 0
	s.mu.Unlock()
	if certFile != "" {
		if err := config.addFirst(Certificate{CertFile: certFile, KeyFile: keyFile}); err != nil {
			return err
		}
	}
	if !bound {
		if err := s.ListenTLS(cmp.Or(s.Addr, ":8443"), config); err != nil {
			return err
		}
	}
	return s.Serve()
}

// addFirst adds a certificate unless it is there, as it is when a server serves
// once more.
func (t *TLSConfig) addFirst(one Certificate) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.Certificates, func(c Certificate) bool {
		return c.CertFile == one.CertFile && c.KeyFile == one.KeyFile
	}) {
		return nil
	}
	if t.held != nil {
		return fmt.Errorf("%w: the TLSConfig is used already", ErrBusy)
	}
	t.Certificates = append([]Certificate{one}, t.Certificates...)
	return nil
}
