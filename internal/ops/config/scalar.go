package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"time"

	"weir/internal/ops/secret"
)

// enums lists the words that a type can be.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[Role]():          {string(RoleFront), string(RoleOrigin), string(RoleEdge)},
	reflect.TypeFor[LogFormat]():     {string(LogText), string(LogJSON)},
	reflect.TypeFor[StoreKind]():     {string(StoreMemory), string(StoreEmbedded), string(StoreEtcd)},
	reflect.TypeFor[FrontMode]():     {string(ModeCarry)},
	reflect.TypeFor[Way]():           {string(WayAuto), string(WayCarry), string(WaySplice)},
	reflect.TypeFor[PublishPolicy](): {string(PublishLeastLoad), "round_robin", "weighted", "least_connections", "source_hash"},
	reflect.TypeFor[ViewPolicy]():    {string(ViewPullAware), "random", "two_choices", "least_connections", "round_robin", "hash", "hash_bounded"},
	reflect.TypeFor[BackendRole]():   {string(RolePublish), string(RolePlay)},
	reflect.TypeFor[BackendKind]():   {string(KindNginx), string(KindSRS), string(KindMediaMTX), string(KindAntMedia), string(KindOther)},
	reflect.TypeFor[Announce]():      {string(AnnounceNone), string(AnnounceProxyV1), string(AnnounceProxyV2), string(AnnounceSRS)},
	reflect.TypeFor[CheckKind]():     {string(CheckTCP), string(CheckRTMP), string(CheckHTTP), string(CheckNone)},
	reflect.TypeFor[LoadKind]():      {string(LoadNone), string(LoadNginx), string(LoadSRS), string(LoadMediaMTX)},
	reflect.TypeFor[DNSType]():       {string(DNSA), string(DNSAAAA), string(DNSSRV)},
	reflect.TypeFor[Challenge]():     {string(ChallengeHTTP), string(ChallengeTLSALPN)},
	reflect.TypeFor[Redirect]():      {string(RedirectOff), string(RedirectMoved), string(RedirectPermanent)},
	reflect.TypeFor[CookieMode]():    {string(CookieOff), string(CookieInsert), string(CookiePrefix)},
	reflect.TypeFor[Duplicate]():     {string(DuplicateReject), string(DuplicateTakeover)},
	reflect.TypeFor[slog.Level]():    {"debug", "info", "warn", "error"},
}

// scalarError is a value that does not fit its key.
type scalarError struct{ problem, hint string }

func (e *scalarError) Error() string { return e.problem }

// setScalar reads text into v, which is of one of the scalar types of Config.
func setScalar(v reflect.Value, text string) *scalarError {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := setScalar(p.Elem(), text); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if words, ok := enums[v.Type()]; ok {
		return setEnum(v, text, words)
	}
	switch v.Interface().(type) {
	case time.Duration:
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(d))
	case Size:
		s, err := ParseSize(text)
		if err != nil {
			problem, hint, _ := strings.Cut(err.Error(), "; ")
			return &scalarError{problem, hint}
		}
		v.SetInt(int64(s))
	case Rate:
		r, err := ParseRate(text)
		if err != nil {
			problem, hint, _ := strings.Cut(err.Error(), "; ")
			return &scalarError{problem, hint}
		}
		v.SetInt(int64(r))
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return &scalarError{fmt.Sprintf("%q is no number", text), ""}
		}
		v.SetFloat(f)
	case secret.String:
		v.Set(reflect.ValueOf(secret.New(text)))
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return &scalarError{fmt.Sprintf("%q is no whole number", text), ""}
		}
		v.SetInt(int64(n))
	case bool:
		if text != "true" && text != "false" {
			return &scalarError{fmt.Sprintf("%q is neither true nor false", text), ""}
		}
		v.SetBool(text == "true")
	case string:
		v.SetString(text)
	default:
		panic("config: no reader for " + v.Type().String()) // the schema test visits every type
	}
	return nil
}

func setEnum(v reflect.Value, text string, words []string) *scalarError {
	for i, w := range words {
		if text != w {
			continue
		}
		if v.Kind() == reflect.String {
			v.SetString(w)
		} else {
			v.SetInt(int64(-4 + 4*i)) // slog's levels are 4 apart, debug being -4
		}
		return nil
	}
	hint := suggest(text, words)
	if hint == "" {
		hint = "it can be " + oneOf(words)
	}
	return &scalarError{fmt.Sprintf("%q is not one of %s", text, strings.Join(words, ", ")), hint}
}

func parseDuration(text string) (time.Duration, *scalarError) {
	if text == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, &scalarError{fmt.Sprintf("%q has no unit", text), fmt.Sprintf("write %ss for seconds or %sms for milliseconds", text, text)}
	}
	return 0, &scalarError{fmt.Sprintf("%q is no duration", text), "write a number and a unit (ms, s, m, h), as in 10s"}
}
