package demo

import (
	"fmt"
	"io"
	"time"
)

// card tells a person where everything is.
func card(w io.Writer, c *cluster, took time.Duration) {
	fmt.Fprintf(w, `
  Weir is running: 1 front, 2 origins, 2 edges, etcd inside origin-1.
  A test pattern is on air; its picture came through every node within %v.

  Publish to   rtmp://%[2]s/live/YOURNAME
  Play from    rtmp://%[2]s/%[3]s   (front)
               rtmp://%[4]s/%[3]s   (edge-1)
               rtmp://%[5]s/%[3]s   (edge-2)
               http://%[6]s/%[3]s.flv
  Admin        http://%[7]s/api/v1/streams
               weir nodes --admin http://%[7]s

  ffmpeg       ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine -c:v libx264 -preset veryfast \
                 -pix_fmt yuv420p -g 60 -c:a aac -f flv rtmp://%[2]s/live/YOURNAME
               ffplay rtmp://%[4]s/live/YOURNAME
  OBS          Settings → Stream → Service: Custom, Server: rtmp://%[2]s/live, Stream Key: YOURNAME

  Logs are in %[8]s until the end. Ctrl-C ends all of it.

`, took.Round(10*time.Millisecond), c.front.rtmp, streamPath, c.edges[0].rtmp, c.edges[1].rtmp, c.edges[0].http, c.front.admin, c.dir)
}
