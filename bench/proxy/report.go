package main

import (
	"encoding/json"
	"fmt"
	"time"

	"weir/bench/rig"
)

// report is everything that a run found.
type report struct {
	rig.Where
	Took    string  `json:"took"`
	HAProxy string  `json:"haproxy"`
	Rounds  int     `json:"rounds"`
	Trials  []trial `json:"trials"`
}

func newReport(where rig.Where, p *plan) *report {
	return &report{Where: where, Rounds: p.rounds, HAProxy: fmt.Sprintf("%s, nbthread %d", rig.FirstLine(rig.Path("haproxy"), "-v"), p.haproxyThreads)}
}

// save writes the report in both forms.
func (r *report) save(dir string) error {
	r.Took = time.Since(r.Began).Round(time.Second).String()
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return r.Save(dir, "proxy", map[string][]byte{".json": append(raw, '\n'), ".md": r.markdown()})
}
