package main

import (
	"encoding/json"

	"weir/bench/rig"
)

// report is everything that a run found.
type report struct {
	rig.Where
	Rounds int     `json:"rounds"` // that were asked for; an interrupted run has fewer
	Trials []trial `json:"trials"`

	name       string
	joins      bool     // tables of joins
	contenders []string // in the order given
	against    []string // those that the table compares with
	loads      []load
}

func newReport(where rig.Where, p plan) *report {
	r := &report{Where: where, Rounds: p.rounds, loads: p.loads, against: p.against, joins: p.joins}
	for _, c := range p.contenders {
		r.contenders = append(r.contenders, c.name())
	}
	return r
}

// save writes the report in its forms.
func (r *report) save(dir string) error {
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	files := map[string][]byte{".json": append(raw, '\n'), ".md": r.markdown()}
	if !r.joins {
		files[".svg"] = r.plot()
	}
	return r.Save(dir, r.name, files)
}
