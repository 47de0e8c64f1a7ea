package rtmp

import (
	"math"

	"weir/amf"
)

// The levels of a status (§7.2.2).
const (
	LevelStatus  = "status"
	LevelError   = "error"
	LevelWarning = "warning"
)

// The codes of statuses, as clients know them.
const (
	CodeConnectSuccess  = "NetConnection.Connect.Success"
	CodeConnectRejected = "NetConnection.Connect.Rejected"
	CodeConnectFailed   = "NetConnection.Connect.Failed"
	CodeReconnect       = "NetConnection.Connect.ReconnectRequest" // E-RTMP v2, Reconnect Request
	CodeCallFailed      = "NetConnection.Call.Failed"
	CodeCallProhibited  = "NetConnection.Call.Prohibited"

	CodePublishStart    = "NetStream.Publish.Start"
	CodePublishBadName  = "NetStream.Publish.BadName"
	CodePublishDenied   = "NetStream.Publish.Denied"
	CodePublishRejected = "NetStream.Publish.Rejected"
	CodeUnpublish       = "NetStream.Unpublish.Success"

	CodePlayReset           = "NetStream.Play.Reset"
	CodePlayStart           = "NetStream.Play.Start"
	CodePlayStop            = "NetStream.Play.Stop"
	CodePlayComplete        = "NetStream.Play.Complete"
	CodePlayFailed          = "NetStream.Play.Failed"
	CodePlayStreamNotFound  = "NetStream.Play.StreamNotFound"
	CodePlayPublishNotify   = "NetStream.Play.PublishNotify"
	CodePlayUnpublishNotify = "NetStream.Play.UnpublishNotify"
	CodePauseNotify         = "NetStream.Pause.Notify"
	CodeUnpauseNotify       = "NetStream.Unpause.Notify"
	CodeSeekNotify          = "NetStream.Seek.Notify"
	CodeSeekFailed          = "NetStream.Seek.Failed"
	CodeDataStart           = "NetStream.Data.Start"
)

// Status is the information object of an onStatus.
type Status struct {
	Level, Code, Description string
	Info                     amf.Object // all of it, the three included
}

// statusInfo makes the information object; extra members come last.
func statusInfo(level, code, description string, extra amf.Object) amf.Object {
	info := amf.Object{{Key: "level", Value: level}, {Key: "code", Value: code}, {Key: "description", Value: description}}
	return append(info, extra...)
}

func onStatus(streamID uint32, level, code, description string, extra amf.Object) *Command {
	return &Command{Name: "onStatus", StreamID: streamID, Args: []any{statusInfo(level, code, description, extra)}}
}

// statusHead is an onStatus up to the first member of its information object.
var statusHead = append(AppendCommand(nil, &Command{Name: "onStatus"}), amf.Append0(nil, amf.Object{})[0])

// appendOnStatus appends the payload of onStatus. Every viewer is told two or three; as values
// and then bytes they were a fifth of what a join allocates.
func appendOnStatus(dst []byte, level, code, description string, extra amf.Object) []byte {
	if max(len(level), len(code), len(description)) > math.MaxUint16 {
		return AppendCommand(dst, onStatus(0, level, code, description, extra))
	}
	dst = append(dst, statusHead...)
	dst = appendMember(dst, "level", level)
	dst = appendMember(dst, "code", code)
	dst = appendMember(dst, "description", description)
	if len(extra) == 0 {
		return append(dst, objectEnd...)
	}
	return append(dst, amf.Append0(nil, extra)[1:]...)
}

var objectEnd = amf.Append0(nil, amf.Object{})[1:]

// appendMember appends a member whose value is a string of at most 65,535 bytes.
func appendMember(dst []byte, key, value string) []byte {
	const stringMarker = 2 // AMF0 §2.4
	dst = append(dst, byte(len(key)>>8), byte(len(key)))
	dst = append(dst, key...)
	dst = append(dst, stringMarker, byte(len(value)>>8), byte(len(value)))
	return append(dst, value...)
}

// parseStatus reads the arguments of an onStatus: the first object is the
// information, wherever it stands.
func parseStatus(args []any) Status {
	for _, a := range args {
		if info, ok := amf.Properties(a); ok {
			return Status{Level: info.String("level"), Code: info.String("code"), Description: info.String("description"), Info: info}
		}
	}
	return Status{}
}

// StatusError is a refusal as an error: the answer to a publish or play that was
// not its start.
type StatusError struct{ Status Status }

func (e *StatusError) Error() string {
	return "rtmp: the server answered " + e.Status.Code + ": " + e.Status.Description
}

// ParseStatus reads the status of an onStatus or of an _error.
func ParseStatus(c *Command) Status { return parseStatus(append([]any{c.Object}, c.Args...)) }
