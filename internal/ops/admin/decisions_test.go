package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// remembering is a Fleet of one decision; nothing else is asked of it here.
type remembering struct {
	Fleet
	asked DecisionQuery
}

func (f *remembering) Decisions(q DecisionQuery) []Decision {
	f.asked = q
	return []Decision{{Seq: 7, At: time.Unix(1, 0).UTC(), App: "live", Name: "alice", Action: "publish", Node: "o1", Outcome: "ok", Reason: "o1: least loaded"}}
}

func TestDecisionsAreAskedForAndAnswered(t *testing.T) {
	f := &remembering{}
	ask := func(query string) (int, string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/v1/route/decisions"+query, nil)
		Handler(Options{Fleet: f}).ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	code, body := ask("?app=live&name=alice&action=publish&node=o1&outcome=ok&before=9&limit=3")
	if want := (DecisionQuery{"live", "alice", "publish", "o1", "ok", 9, 3}); code != http.StatusOK || f.asked != want {
		t.Errorf("%d, asked %+v", code, f.asked)
	}
	var got map[string][]map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got["decisions"]) != 1 {
		t.Fatalf("%s %v", body, err)
	}
	for _, list := range []string{"excluded", "rejected", "others"} {
		if _, ok := got["decisions"][0][list].([]any); !ok {
			t.Errorf("%s is %v, not a list", list, got["decisions"][0][list])
		}
	}
	if ask(""); f.asked != (DecisionQuery{Limit: defaultDecisions}) {
		t.Errorf("asked %+v", f.asked)
	}
	for _, bad := range []string{"?action=watch", "?limit=0", "?limit=1001", "?limit=x", "?before=-1"} {
		if code, body := ask(bad); code != http.StatusBadRequest || !strings.Contains(body, "must be") {
			t.Errorf("%s: %d %s", bad, code, body)
		}
	}
}
