package interop_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// decoded is what a decoder made of a stream: the hash of every picture and of
// every block of samples, each with its presentation time.
type decoded struct{ video, audio []decodedFrame }

type decodedFrame struct {
	ms   float64 // milliseconds; the origin is the player's own
	hash string
}

// framemd5Args decode everything and write hashes. Pictures are neither dropped
// nor repeated, and their times are kept to the millisecond of the wire.
func framemd5Args(out string) []string {
	return []string{"-map", "0:v?", "-map", "0:a?", "-fps_mode", "passthrough", "-enc_time_base:v", "1:1000",
		"-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-f", "framemd5", "-y", out}
}

func decodeFile(ffmpeg, path string) (decoded, error) {
	out, err := os.CreateTemp(work, "*.framemd5")
	if err != nil {
		return decoded{}, err
	}
	defer out.Close()
	defer os.Remove(out.Name())
	argv := append([]string{ffmpeg, "-v", "error", "-nostdin", "-i", path}, framemd5Args(out.Name())...)
	if _, err := execute(argv...); err != nil {
		return decoded{}, err
	}
	return readFrameMD5(out.Name())
}

// readFrameMD5 reads ffmpeg's framemd5 format, version 2: "#tb 0: 1/1000",
// "#media_type 0: video", then "stream, dts, pts, duration, size, hash".
func readFrameMD5(path string) (decoded, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return decoded{}, err
	}
	var d decoded
	unit := map[string]float64{} // milliseconds
	track := map[string]*[]decodedFrame{}
	for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
		line := sc.Text()
		if head, ok := strings.CutPrefix(line, "#"); ok {
			key, value, _ := strings.Cut(head, ": ")
			what, index, _ := strings.Cut(key, " ")
			switch what {
			case "tb":
				num, den, _ := strings.Cut(value, "/")
				n, err1 := strconv.ParseFloat(num, 64)
				m, err2 := strconv.ParseFloat(den, 64)
				if err1 != nil || err2 != nil {
					return d, fmt.Errorf("%s: %q", path, line)
				}
				unit[index] = 1000 * n / m
			case "media_type":
				if value == "video" {
					track[index] = &d.video
				} else {
					track[index] = &d.audio
				}
			}
			continue
		}
		f := strings.Split(line, ",")
		if len(f) < 6 {
			return d, fmt.Errorf("%s: %q", path, line)
		}
		pts, err := strconv.ParseInt(strings.TrimSpace(f[2]), 10, 64)
		to := track[strings.TrimSpace(f[0])]
		if err != nil || to == nil {
			return d, fmt.Errorf("%s: %q", path, line)
		}
		*to = append(*to, decodedFrame{float64(pts) * unit[strings.TrimSpace(f[0])], strings.TrimSpace(f[5])})
	}
	return d, nil
}
