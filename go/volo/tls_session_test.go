// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"libvolo/go/volo"
)

// randomKey makes a key for session tickets.
func randomKey(t *testing.T) (key [80]byte) {
	t.Helper()
	if _, err := rand.Read(key[:]); err != nil {
		t.Fatal(err)
	}
	return key
}

// resumes begins a session with giver and says whether it goes on with taker.
func resumes(t *testing.T, giver, taker *running, version uint16) bool {
	t.Helper()
	cache := tls.NewLRUClientSessionCache(4)
	resumed := false
	for _, s := range []*running{giver, taker} {
		state, err := s.handshake(func(c *tls.Config) {
			c.ClientSessionCache, c.MinVersion, c.MaxVersion = cache, version, version
		})
		if err != nil {
			t.Fatal(err)
		}
		resumed = state.DidResume
	}
	return resumed
}

func TestServersWithTheSameTicketKeysResumeEachOthersSessions(t *testing.T) {
	a := newAuthority(t)
	certificates := []volo.Certificate{a.server("one")}
	key, other := randomKey(t), randomKey(t)
	if err := writeFile(a.file("key"), key[:]); err != nil {
		t.Fatal(err)
	}
	first := &volo.TLSConfig{Certificates: certificates, TicketKeyFiles: []string{a.file("key")}}
	second := &volo.TLSConfig{Certificates: certificates}
	third := &volo.TLSConfig{Certificates: certificates}
	if err := second.SetSessionTicketKeys(other, key); err != nil {
		t.Fatal(err)
	}
	one := serveTLS(t, a, &volo.Server{Handler: text("ok")}, first)
	two := serveTLS(t, a, &volo.Server{Handler: text("ok")}, second)
	three := serveTLS(t, a, &volo.Server{Handler: text("ok")}, third)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, is := range []struct {
			giver, taker *running
			want         bool
		}{{one, one, true}, {one, two, true}, {two, one, false}, {one, three, false}, {three, one, false}} {
			if got := resumes(t, is.giver, is.taker, version); got != is.want {
				t.Errorf("%x, %s to %s: %v", version, is.giver.url, is.taker.url, got)
			}
		}
	}
	if err := third.SetSessionTicketKeys(key); err != nil {
		t.Fatal(err)
	}
	if !resumes(t, three, one, tls.VersionTLS13) {
		t.Error("keys that were given while it runs are not used")
	}
	if err := third.SetSessionTicketKeys(); err != nil {
		t.Fatal(err)
	}
	if resumes(t, three, one, tls.VersionTLS13) {
		t.Error("keys that were taken away are used")
	}
	if err := third.SetSessionTicketKeys(make([][80]byte, 17)...); !errors.Is(err, volo.ErrInvalid) {
		t.Error(err)
	}
}

// revoke writes a list of the authority that revokes what it has signed last,
// or nothing.
func (a *authority) revoke(file string, last bool) {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1),
		ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	if last {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{
			{SerialNumber: big.NewInt(a.last), RevocationTime: time.Now().Add(-time.Minute)}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(file, "X509 CRL", der)
}

func TestRevokedClientsAreRefused(t *testing.T) {
	a := newAuthority(t)
	config := &volo.TLSConfig{Certificates: []volo.Certificate{a.server("one")},
		ClientAuth: volo.RequireClientCert, ClientCAFile: a.file("ca.pem"), ClientCRLFile: a.file("list")}
	client := a.client(pkix.Name{CommonName: "anna"})
	a.revoke("list", false)
	s := serveTLS(t, a, &volo.Server{Handler: text("ok")}, config)
	shows := func() error {
		_, err := s.handshake(func(c *tls.Config) { c.Certificates = []tls.Certificate{client} })
		return err
	}
	if err := shows(); err != nil {
		t.Error(err)
	}
	a.revoke("list", true)
	if err := config.Reload(); err != nil {
		t.Error(err)
	}
	if err := shows(); err == nil || !strings.Contains(err.Error(), "revoked certificate") {
		t.Error(err)
	}
}
