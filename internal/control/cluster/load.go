package cluster

import "maps"

// Equal reports whether two loads are the same.
func (l Load) Equal(o Load) bool {
	return l.Publishers == o.Publishers && l.Viewers == o.Viewers && l.Sessions == o.Sessions && l.Pulls == o.Pulls &&
		l.EgressBPS == o.EgressBPS && l.IngressBPS == o.IngressBPS && l.CPU == o.CPU && l.JoinsInFlight == o.JoinsInFlight &&
		maps.Equal(l.Backends, o.Backends)
}
