package rig

import (
	"os"
	"path/filepath"
)

// Save writes a report's files, by their endings, as NAME-TIME.* into a directory that is made if need be.
func (w *Where) Save(dir, name string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	base := filepath.Join(dir, name+"-"+w.Began.Format("20060102-150405"))
	for ending, content := range files {
		if err := os.WriteFile(base+ending, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
