package amf

// Append0 appends v in AMF0 form.
func Append0(dst []byte, v any) []byte { return dst }

// Append3 appends v in AMF3 form.
func Append3(dst []byte, v any) []byte { return dst }
