package config

// Override is a flag given on the command line, or an environment's value.
type Override struct {
	Flag  string // as the operator wrote it: "--rtmp"
	Key   string // the dotted path that it sets: "rtmp.listen"
	Value string // a list's items are separated by commas
}
