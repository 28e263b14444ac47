// SPDX-License-Identifier: Apache-2.0

package compat

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"libvolo/go/volo"
)

// serve serves h on a port of its own until the test ends, and gives the
// address.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := &volo.Server{Handler: volo.HTTP(h), Workers: 1}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve() }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, volo.ErrServerClosed) {
			t.Error(err)
		}
	})
	return fmt.Sprintf("http://127.0.0.1:%d", server.Port(0))
}
