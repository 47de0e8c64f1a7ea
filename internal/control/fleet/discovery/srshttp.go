package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Serve answers on a listener until ctx ends.
func (s *SRS) Serve(ctx context.Context, l net.Listener) error {
	var trusted func(netip.Addr) bool
	if len(s.s.Trust) > 0 {
		trusted = s.trusts
	}
	g := newGate(l, trusted)
	server := &http.Server{
		Handler: s, ConnState: g.state, ConnContext: g.context, ReadHeaderTimeout: callTimeout / 2, ReadTimeout: callTimeout, WriteTimeout: callTimeout,
		IdleTimeout: callIdle, MaxHeaderBytes: maxCallHeader, ErrorLog: log.New(io.Discard, "", 0),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	err := server.Serve(g)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// ServeHTTP answers one call. Who may not call hears that and nothing else, and is hung up on.
func (s *SRS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.trusted(r):
		s.bad(fmt.Errorf("a call from %s, which may not register", r.RemoteAddr))
		hangUp(w, r)
		refuse(w, http.StatusForbidden, codeForbidden, "this address may not register")
	case !s.allowed(r):
		s.bad(errors.New("a call without the right token"))
		hangUp(w, r)
		w.Header().Set("WWW-Authenticate", `Bearer realm="weir"`)
		refuse(w, http.StatusUnauthorized, codeForbidden, "the token is missing or wrong")
	case r.URL.Path == "/api/v1/versions":
		answer(w, http.StatusOK, map[string]any{"code": 0, "data": map[string]string{"version": "weir"}})
	case r.URL.Path != "/api/v1/srs/register":
		refuse(w, http.StatusNotFound, codeNotFound, "there is nothing here")
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, codeBad, "POST it")
	default:
		s.call(w, r)
	}
}

// hangUp makes the answer the connection's last.
func hangUp(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	refused(r)
}

// call takes a registration or a heartbeat, which are the same.
func (s *SRS) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHeartbeat))
	if err != nil {
		refuse(w, http.StatusBadRequest, codeBad, "the body is too long or broke off")
		return
	}
	b, err := parseBeat(body)
	if err == nil {
		err = s.beat(b, time.Now())
	}
	var full *fullError
	switch {
	case errors.As(err, &full):
		s.bad(err)
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, codeBusy, err.Error())
	case err != nil:
		s.bad(err)
		refuse(w, http.StatusBadRequest, codeBad, err.Error())
	default:
		s.same()
		answer(w, http.StatusOK, map[string]any{"code": 0, "pid": b.pid})
	}
}

func (s *SRS) allowed(r *http.Request) bool {
	if !s.s.Token.IsSet() {
		return true
	}
	if s.s.Token.Equal(bearer(r)) {
		return true
	}
	return s.s.Token.Equal(r.URL.Query().Get("token"))
}

func bearer(r *http.Request) string {
	const scheme = "bearer "
	h := r.Header.Get("Authorization")
	if len(h) < len(scheme) || !strings.EqualFold(h[:len(scheme)], scheme) {
		return ""
	}
	return h[len(scheme):]
}

func (s *SRS) trusted(r *http.Request) bool {
	if len(s.s.Trust) == 0 {
		return true
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.trusts(ap.Addr().Unmap())
}

// trusts reports whether an address may register, where not all may.
func (s *SRS) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.s.Trust, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Codes of refusals; srs-proxy has none of its own, callers look at the status.
const (
	codeBad       = 1
	codeForbidden = 2
	codeNotFound  = 3
	codeBusy      = 4
)

func refuse(w http.ResponseWriter, status, code int, why string) {
	answer(w, status, map[string]any{"code": code, "data": why})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone: nobody is left to tell
}
