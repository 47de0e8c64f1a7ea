package certs

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
)

// Pair names the PEM files of a certificate, its chain included, and of its key.
type Pair struct {
	Cert string
	Key  string // "": the key is in Cert, as HAProxy has it
}

// maxPEM bounds one file. Stops: the wrong file; the longest chain in use has some 20 KiB.
const maxPEM = 1 << 20

func (p Pair) keyFile() string {
	if p.Key == "" {
		return p.Cert
	}
	return p.Key
}

// Load reads the pair. The error names the file that is at fault.
func (p Pair) Load() (*tls.Certificate, error) {
	cert, err := readPEM(p.Cert)
	if err != nil {
		return nil, err
	}
	key := cert
	if p.keyFile() != p.Cert {
		if key, err = readPEM(p.keyFile()); err != nil {
			return nil, err
		}
	}
	c, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", p.Cert, p.keyFile(), err)
	}
	return &c, nil
}

func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxPEM {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxPEM)
	}
	return b, nil
}
