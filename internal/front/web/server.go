package web

import (
	"log"
	"net/http"
)

// NewServer returns a http.Server with the limits of one on a public address. A stream is
// written for as long as it is watched, so there is no limit on an answer as a whole;
// who writes sets one per write. faults gets what the server says of itself.
func NewServer(h http.Handler, faults *log.Logger) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		DisableGeneralOptionsHandler: true,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: h2Streams},
		ErrorLog:                     faults,
		Protocols:                    new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	return s
}
