package admin

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"weir/internal/ops/secret"
)

// Options are what a Handler is made of.
type Options struct {
	Fleet   Fleet
	Metrics prometheus.Gatherer
	// Token guards everything but the probes; unset only on the loopback.
	Token secret.String
	// Version is told in the Server header.
	Version string
}

// Handler returns the admin listener's handler.
func Handler(o Options) http.Handler { return http.NewServeMux() }
