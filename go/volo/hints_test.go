// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"testing"

	"libvolo/go/volo"
)

// hinted asks for url and gives the interim answers that came, and the answer.
func hinted(t *testing.T, url string) (hints []string, answer string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(code, header))
			return nil
		},
	}))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return hints, fmt.Sprint(resp.StatusCode, resp.Header["Link"], resp.Header["X-Own"], string(body))
}

func early(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Add("Link", "</style.css>; rel=preload; as=style")
	h.Add("Link", "</script.js>; rel=preload; as=script")
	w.WriteHeader(http.StatusEarlyHints)
	h.Set("Link", "</more.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	h.Set("X-Own", "1")
	io.WriteString(w, "content")
}

func TestEarlyHintsComeBeforeTheAnswerAsOnNetHTTP(t *testing.T) {
	theirs := httptest.NewServer(http.HandlerFunc(early))
	defer theirs.Close()
	wantHints, want := hinted(t, theirs.URL)
	ours := serve(t, &volo.Server{Handler: volo.HTTP(http.HandlerFunc(early))})
	hints, answer := hinted(t, ours.url)
	if fmt.Sprint(hints) != fmt.Sprint(wantHints) || answer != want {
		t.Errorf("\n got %q %q\nwant %q %q", hints, answer, wantHints, want)
	}
	if len(hints) != 2 {
		t.Errorf("%d interim answers", len(hints))
	}
}

func TestEarlyHintsFromAHandler(t *testing.T) {
	for _, mode := range []volo.Mode{volo.Goroutine, volo.Inline} {
		r := volo.NewRouter()
		r.Get("/", func(c *volo.Ctx) error {
			if err := c.EarlyHints(http.Header{"link": {"</a>"}}); err != nil {
				return err
			}
			for _, bad := range []http.Header{{"a b": {"x"}}, {"X": {"a\nb"}}, {"Connection": {"close"}}} {
				if err := c.EarlyHints(bad); !errors.Is(err, volo.ErrInvalid) {
					return fmt.Errorf("%v: %v", bad, err)
				}
			}
			return c.Text("answer")
		})
		r.SetMode(mode)
		s := serve(t, &volo.Server{Handler: r})
		hints, answer := hinted(t, s.url)
		if want := "[103 map[Link:[</a>]]]"; fmt.Sprint(hints) != want || answer != "200 [] []answer" {
			t.Errorf("%v: %q %q", mode, hints, answer)
		}
	}
}

func TestEarlyHintsAreRefusedOnceTheHeadHasLeft(t *testing.T) {
	s := serve(t, &volo.Server{Handler: volo.HandlerFunc(func(c *volo.Ctx) error {
		w := c.Writer()
		if err := w.Flush(); err != nil {
			return err
		}
		_, err := fmt.Fprint(w, c.EarlyHints(http.Header{"Link": {"</a>"}}))
		return err
	})})
	if hints, answer := hinted(t, s.url); len(hints) > 0 || answer != "200 [] []"+volo.ErrAnswered.Error() {
		t.Errorf("%q %q", hints, answer)
	}
}
