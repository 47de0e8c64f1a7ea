package config

import (
	"os"
	"strings"
	"testing"
)

// yamlBlocks returns the YAML examples of a document.
func yamlBlocks(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, part := range strings.Split(string(text), "```yaml\n") {
		if i == 0 {
			continue
		}
		block, _, _ := strings.Cut(part, "```")
		out = append(out, block)
	}
	if len(out) == 0 {
		t.Fatalf("%s has no YAML example", path)
	}
	return out
}

func TestReadmeExamplesAreGoodConfigurations(t *testing.T) {
	for _, block := range yamlBlocks(t, "../../../README.md") {
		if _, err := Parse("example", []byte(block)); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
	}
}

// The reference shows all keys in one file, which therefore contradicts itself;
// but it reads.
func TestConfigurationDocHasEveryKey(t *testing.T) {
	d := newDecoder()
	c := Default()
	for _, block := range yamlBlocks(t, "../../../docs/configuration.md") {
		d.decodeFile(&c, "docs/configuration.md", []byte(block))
	}
	if len(d.errs) > 0 {
		t.Errorf("%v", d.errs)
	}
	for _, key := range keys() {
		if strings.HasPrefix(key, "limits.") || strings.HasPrefix(key, "apps.") {
			continue // limits.md has those, and apps repeats play and publish
		}
		// What a source can set is what the defaults can.
		if rest, ok := strings.CutPrefix(key, "front.backends.srs."); ok && d.places["front.backends.defaults."+rest] != (place{}) {
			continue
		}
		if _, ok := d.places[key]; !ok {
			t.Errorf("docs/configuration.md does not show %s", key)
		}
	}
}
