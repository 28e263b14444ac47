// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libvolo/go/volo"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	last int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), pool: x509.NewCertPool()}
	a.cert, a.key = a.sign("ca", &x509.Certificate{Subject: pkix.Name{CommonName: "An authority"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign})
	a.pool.AddCert(a.cert)
	return a
}

// sign makes name.pem and name.key; the first signs itself.
func (a *authority) sign(name string, cert *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.last++
	cert.SerialNumber = big.NewInt(a.last)
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = cert, key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".pem", "CERTIFICATE", der)
	a.write(name+".key", "PRIVATE KEY", text)
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made, key
}

func (a *authority) write(name, kind string, octets []byte) {
	if err := writeFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: octets})); err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// server makes a certificate for names of servers.
func (a *authority) server(file string, names ...string) volo.Certificate {
	a.sign(file, &x509.Certificate{Subject: pkix.Name{CommonName: file}, DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return volo.Certificate{CertFile: a.file(file + ".pem"), KeyFile: a.file(file + ".key")}
}

// client makes a certificate for a client.
func (a *authority) client(subject pkix.Name) tls.Certificate {
	a.sign("client", &x509.Certificate{Subject: subject,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pair, err := tls.LoadX509KeyPair(a.file("client.pem"), a.file("client.key"))
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

// serveTLS starts s on a port of its own, over TLS, and gives a client that
// trusts a.
func serveTLS(t *testing.T, a *authority, s *volo.Server, config *volo.TLSConfig) *running {
	t.Helper()
	s.Workers = 2
	if err := s.ListenTLS("127.0.0.1:0", config); err != nil {
		t.Fatal(err)
	}
	return begin(t, s, "https", &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.pool}, ForceAttemptHTTP2: true})
}

func (r *running) tls() *tls.Config { return r.http.Transport.(*http.Transport).TLSClientConfig }

// handshake connects with config changed by with, and gives what was agreed.
func (r *running) handshake(with func(*tls.Config)) (tls.ConnectionState, error) {
	r.t.Helper()
	config := r.tls().Clone()
	config.ServerName = "127.0.0.1"
	with(config)
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: time.Minute}, Config: config}
	conn, err := dialer.Dial("tcp", strings.TrimPrefix(r.url, "https://"))
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	// In TLS 1.3 the client's certificate is refused after the handshake.
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if config.NextProtos == nil {
		if _, err = io.ReadAll(conn); err != nil {
			return tls.ConnectionState{}, err
		}
	}
	return conn.(*tls.Conn).ConnectionState(), nil
}

// tells answers with what is known of the connection.
func tells(c *volo.Ctx) error {
	major, minor := c.Proto()
	state := c.TLS()
	if state == nil {
		return c.Text(fmt.Sprintf("%s %d.%d in the clear", c.Scheme(), major, minor))
	}
	return c.Text(fmt.Sprintf("%s %d.%d %x %v %q %q", c.Scheme(), major, minor, state.Version,
		state.CipherSuite != 0, state.ServerName, state.ClientSubject))
}

func TestHandlersAreToldOfTLS(t *testing.T) {
	for _, mode := range []volo.Mode{volo.Goroutine, volo.Inline} {
		a := newAuthority(t)
		s := serveTLS(t, a, &volo.Server{Handler: volo.HandlerFunc(tells), Mode: mode},
			&volo.TLSConfig{Certificates: []volo.Certificate{a.server("one", "localhost")}})
		s.want("/", 200, `https 2.0 304 true "" ""`)
		s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
		s.want("/", 200, `https 2.0 304 true "localhost" ""`)
		s.tls().MaxVersion = tls.VersionTLS12
		s.http.CloseIdleConnections()
		s.want("/", 200, `https 2.0 303 true "localhost" ""`)
	}
	s := serve(t, &volo.Server{Handler: volo.HandlerFunc(tells)})
	s.want("/", 200, "http 1.1 in the clear")
}

func TestClientsAreAskedForCertificates(t *testing.T) {
	a := newAuthority(t)
	stranger := newAuthority(t)
	anna := pkix.Name{CommonName: `Anna "A", Ätna+`, Organization: []string{"Ex=ample"},
		OrganizationalUnit: []string{`a\b`, "c,d"}, Country: []string{"DE"}}
	good, bad := a.client(anna), stranger.client(anna)
	for _, one := range []struct {
		auth volo.ClientAuth
		show []tls.Certificate
		ok   bool
		want string
	}{
		{volo.NoClientCert, nil, true, "0"},
		{volo.NoClientCert, []tls.Certificate{good}, true, "0"},
		{volo.OptionalClientCert, nil, true, "0"},
		{volo.OptionalClientCert, []tls.Certificate{bad}, false, ""},
		{volo.OptionalClientCert, []tls.Certificate{good}, true, "1"},
		{volo.RequireClientCert, nil, false, ""},
		{volo.RequireClientCert, []tls.Certificate{good}, true, "1"},
	} {
		config := &volo.TLSConfig{Certificates: []volo.Certificate{a.server("one")},
			ClientAuth: one.auth, ClientCAFile: a.file("ca.pem")}
		s := serveTLS(t, a, &volo.Server{Handler: volo.HTTP(http.HandlerFunc(who))}, config)
		// A client of Go's does not show what the server did not ask for by name.
		s.tls().GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(one.show) == 0 {
				return &tls.Certificate{}, nil
			}
			return &one.show[0], nil
		}
		resp, err := s.http.Get(s.url)
		if err != nil || !one.ok {
			if (err == nil) != one.ok {
				t.Errorf("%v: %v %v", one, resp, err)
			}
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		want := one.want
		if want == "1" {
			want = fmt.Sprintf("1 %q %q %q %q", anna.CommonName, anna.Organization, anna.OrganizationalUnit, anna.Country)
		}
		if string(body) != want {
			t.Errorf("%s, want %s", body, want)
		}
	}
}

func who(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, len(r.TLS.PeerCertificates))
	for _, cert := range r.TLS.PeerCertificates {
		s := cert.Subject
		fmt.Fprintf(w, " %q %q %q %q", s.CommonName, s.Organization, s.OrganizationalUnit, s.Country)
	}
}

func TestCertificatesAreChosenByName(t *testing.T) {
	a := newAuthority(t)
	config := &volo.TLSConfig{Certificates: []volo.Certificate{
		a.server("first", "a.test"), a.server("wild", "*.b.test"), a.server("exact", "x.b.test")}}
	s := serveTLS(t, a, &volo.Server{Handler: text("ok")}, config)
	for name, want := range map[string]string{"a.test": "first", "y.b.test": "wild", "x.b.test": "exact",
		"127.0.0.1": "first"} {
		state, err := s.handshake(func(c *tls.Config) { c.ServerName = name })
		if err != nil || state.PeerCertificates[0].Subject.CommonName != want {
			t.Error(name, err)
		}
	}
}

func TestWhatIsAgreedOnFollowsTheSettings(t *testing.T) {
	a := newAuthority(t)
	one := []volo.Certificate{a.server("one")}
	old := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }
	alpn := func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }
	for name, test := range map[string]struct {
		config *volo.TLSConfig
		client func(*tls.Config)
		want   string
	}{
		"as it is":       {&volo.TLSConfig{}, alpn, "304 h2"},
		"TLS 1.2":        {&volo.TLSConfig{}, old, "303 "},
		"TLS 1.1":        {&volo.TLSConfig{}, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "failed"},
		"no less":        {&volo.TLSConfig{MinVersion: tls.VersionTLS13}, old, "failed"},
		"no more":        {&volo.TLSConfig{MaxVersion: tls.VersionTLS12}, alpn, "303 h2"},
		"own protocols":  {&volo.TLSConfig{NextProtos: []string{"http/1.1"}}, alpn, "304 http/1.1"},
		"another cipher": {&volo.TLSConfig{Ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305"}, old, "303 "},
		"another suite":  {&volo.TLSConfig{CipherSuites: "TLS_CHACHA20_POLY1305_SHA256"}, alpn, "304 h2"},
		"another group":  {&volo.TLSConfig{Groups: "P-256"}, alpn, "304 h2"},
		"no ticket":      {&volo.TLSConfig{Tickets: -1, TicketLifetime: time.Hour}, alpn, "304 h2"},
	} {
		test.config.Certificates = one
		s := serveTLS(t, a, &volo.Server{Handler: text("ok")}, test.config)
		state, err := s.handshake(test.client)
		got := fmt.Sprintf("%x %s", state.Version, state.NegotiatedProtocol)
		if err != nil {
			got = "failed"
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
	}
}

func TestReloadShowsTheNewCertificateOrNothingChanges(t *testing.T) {
	a := newAuthority(t)
	config := &volo.TLSConfig{Certificates: []volo.Certificate{a.server("one")}}
	s := serveTLS(t, a, &volo.Server{Handler: text("ok")}, config)
	serial := func() int64 {
		state, err := s.handshake(func(*tls.Config) {})
		if err != nil {
			t.Fatal(err)
		}
		return state.PeerCertificates[0].SerialNumber.Int64()
	}
	before := serial()
	if before != a.last {
		t.Error(before)
	}
	a.server("one")
	if serial() != before {
		t.Error("it changed by itself")
	}
	if err := config.Reload(); err != nil {
		t.Fatal(err)
	}
	if serial() != a.last {
		t.Error("it has not changed")
	}
	if err := writeFile(a.file("one.pem"), []byte("none")); err != nil {
		t.Fatal(err)
	}
	if err := config.Reload(); !errors.Is(err, volo.ErrTLS) || !strings.Contains(err.Error(), "one.pem") {
		t.Error(err)
	}
	if serial() != a.last {
		t.Error("it has changed")
	}
}

func TestWhatIsWrongWithATLSConfigIsSaid(t *testing.T) {
	a := newAuthority(t)
	one := a.server("one")
	good := []volo.Certificate{one}
	for name, test := range map[string]struct {
		config *volo.TLSConfig
		is     error
		says   string
	}{
		"no certificate":   {&volo.TLSConfig{}, volo.ErrInvalid, "no certificate"},
		"no such file":     {&volo.TLSConfig{Certificates: []volo.Certificate{{CertFile: "/none.pem"}}}, volo.ErrTLS, "/none.pem"},
		"another's key":    {&volo.TLSConfig{Certificates: []volo.Certificate{{CertFile: one.CertFile, KeyFile: a.file("ca.key")}}}, volo.ErrTLS, "key"},
		"no PEM":           {&volo.TLSConfig{Certificates: []volo.Certificate{{CertPEM: []byte("x")}}}, volo.ErrTLS, ""},
		"a NUL":            {&volo.TLSConfig{Certificates: []volo.Certificate{{CertFile: "a\x00"}}}, volo.ErrInvalid, ""},
		"no authority":     {&volo.TLSConfig{Certificates: good, ClientAuth: volo.RequireClientCert}, volo.ErrInvalid, "ClientCAFile"},
		"an old version":   {&volo.TLSConfig{Certificates: good, MinVersion: tls.VersionTLS11}, volo.ErrInvalid, "MinVersion"},
		"a strange cipher": {&volo.TLSConfig{Certificates: good, Ciphers: "NONE"}, volo.ErrTLS, "Ciphers"},
		"a NUL in a text":  {&volo.TLSConfig{Certificates: good, Groups: "a\x00"}, volo.ErrInvalid, "Groups"},
		"many tickets":     {&volo.TLSConfig{Certificates: good, Tickets: 9}, volo.ErrInvalid, "Tickets"},
		"no CRL":           {&volo.TLSConfig{Certificates: good, ClientCRLFile: one.CertFile}, volo.ErrTLS, "X509 CRL"},
		"no ticket key":    {&volo.TLSConfig{Certificates: good, TicketKeyFiles: []string{one.CertFile}}, volo.ErrTLS, "no key for tickets"},
		"a colon":          {&volo.TLSConfig{Certificates: good, TicketKeyFiles: []string{"a:b"}}, volo.ErrInvalid, "TicketKeyFiles"},
		"no OCSP":          {&volo.TLSConfig{Certificates: []volo.Certificate{{CertFile: one.CertFile, KeyFile: one.KeyFile, OCSPFile: "/none"}}}, volo.ErrTLS, "/none"},
	} {
		s := &volo.Server{Handler: text("ok")}
		err := s.ListenTLS("127.0.0.1:0", test.config)
		if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
		if again := test.config.Reload(); !errors.Is(again, test.is) {
			t.Errorf("%s: %v", name, again)
		}
		s.Close()
	}
	s := &volo.Server{Handler: text("ok")}
	if err := s.ListenTLS("127.0.0.1:0", nil); err == nil {
		t.Error("without a config")
	}
	if err := s.ListenAndServeTLS("", ""); !errors.Is(err, volo.ErrInvalid) {
		t.Error(err)
	}
}

func TestACertificateFromMemory(t *testing.T) {
	a := newAuthority(t)
	a.server("one")
	chain, err1 := os.ReadFile(a.file("one.pem"))
	key, err2 := os.ReadFile(a.file("one.key"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, one := range []volo.Certificate{{CertPEM: chain, KeyPEM: key}, {CertPEM: append(chain, key...)}} {
		s := serveTLS(t, a, &volo.Server{Handler: text("ok")}, &volo.TLSConfig{Certificates: []volo.Certificate{one}})
		s.want("/", 200, "ok")
	}
}

func TestListenAndServeTLSTakesFiles(t *testing.T) {
	a := newAuthority(t)
	one := a.server("one")
	s := &volo.Server{Addr: "127.0.0.1:0", Handler: text("ok"), Workers: 1}
	over := make(chan error, 1)
	go func() { over <- s.ListenAndServeTLS(one.CertFile, one.KeyFile) }()
	eventually(t, "it listens", func() bool { return s.Port(0) != 0 })
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool}}}
	resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d", s.Port(0)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	client.CloseIdleConnections()
	eventually(t, "it counts", func() bool { return s.Stats().Handshakes == 1 })
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-over; err != volo.ErrServerClosed {
		t.Error(err)
	}
}

func TestASocketThatIsThereServesTLS(t *testing.T) {
	a := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &volo.Server{Handler: volo.HandlerFunc(tells), TLSConfig: &volo.TLSConfig{Certificates: []volo.Certificate{a.server("one")}}}
	if err := s.ListenTLSOn(l, nil); err != nil {
		t.Fatal(err)
	}
	l.Close()
	serve(t, s) // and in the clear beside it
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d", s.Port(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != `https 1.1 304 true "" ""` {
		t.Errorf("%s", body)
	}
}

func TestSecretsGoToTheKeyLog(t *testing.T) {
	a := newAuthority(t)
	s := serveTLS(t, a, &volo.Server{Handler: text("ok")}, &volo.TLSConfig{
		Certificates: []volo.Certificate{a.server("one")}, KeyLogFile: a.file("keys")})
	s.want("/", 200, "ok")
	if log, err := os.ReadFile(a.file("keys")); err != nil || !strings.Contains(string(log), "CLIENT_TRAFFIC_SECRET_0 ") {
		t.Errorf("%q %v", log, err)
	}
}

func TestTheProxyProtocolSaysWhoAsks(t *testing.T) {
	s := &volo.Server{Handler: volo.HandlerFunc(func(c *volo.Ctx) error { return c.Text(c.RemoteAddr()) }), Workers: 1}
	if err := s.TrustProxy(0, "127.0.0.1/32"); !errors.Is(err, volo.ErrNotFound) {
		t.Error(err)
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := s.TrustProxy(0, "nowhere"); !errors.Is(err, volo.ErrInvalid) {
		t.Error(err)
	}
	if err := s.TrustProxy(0, "127.0.0.1/32"); err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	addr := fmt.Sprintf("127.0.0.1:%d", s.Port(0))
	if got := raw(t, addr, "PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n"+closing); !strings.HasSuffix(got, "203.0.113.9:4711") {
		t.Errorf("%q", got)
	}
	if got := raw(t, addr, closing); got != "" {
		t.Errorf("%q", got)
	}
	if err := s.TrustProxy(0, ""); !errors.Is(err, volo.ErrBusy) {
		t.Error(err)
	}
	eventually(t, "it counts", func() bool { return s.Stats().ProxyRefused == 1 })
}
