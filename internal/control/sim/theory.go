package sim

import "math"

// Audiences are the expected viewers of each stream, by Zipf's law: V·s^−a / H(S,a).
func Audiences(viewers, streams int, zipf float64) []float64 {
	v := make([]float64, streams)
	total := 0.0
	for s := range v {
		v[s] = math.Pow(float64(s+1), -zipf)
		total += v[s]
	}
	for s := range v {
		v[s] *= float64(viewers) / total
	}
	return v
}

// ObliviousPulls are the pulls of any policy that does not look at where a stream is:
// E · Σ (1 − e^(−v/E)).
func ObliviousPulls(audiences []float64, edges int) float64 {
	sum, e := 0.0, float64(edges)
	for _, v := range audiences {
		sum += -math.Expm1(-v / e)
	}
	return e * sum
}

// ActiveStreams have a viewer: Σ (1 − e^(−v)). They are the pulls of plain hashing.
func ActiveStreams(audiences []float64) float64 {
	sum := 0.0
	for _, v := range audiences {
		sum += -math.Expm1(-v)
	}
	return sum
}

// FewestPulls is the lower bound of any policy whose edges take at most perEdge viewers:
// Σ (v ≤ c ? 1 − e^(−v) : ⌈v/c⌉).
func FewestPulls(audiences []float64, perEdge float64) float64 {
	sum := 0.0
	for _, v := range audiences {
		if v <= perEdge {
			sum += -math.Expm1(-v)
		} else {
			sum += math.Ceil(v / perEdge)
		}
	}
	return sum
}

// RandomMax is the expected busiest edge over the mean when m viewers are spread over n edges at random:
// the mean of the largest of n normal variables of variance m/n·(1−1/n). BALANCING's
// √(2·m/n·ln n) is its limit, 1 % above at a thousand edges.
func RandomMax(viewers, edges int) float64 {
	n, mean := float64(edges), float64(viewers)/float64(edges)
	return 1 + normalMax(n)*math.Sqrt(mean*(1-1/n))/mean
}

// normalMax is E[max of n standard normal variables]: ∫ x dΦ(x)^n.
func normalMax(n float64) float64 {
	cdf := func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
	const step = 1e-3
	sum, last := 0.0, 0.0
	for x := -10.0; x < 10; x += step {
		p := math.Pow(cdf(x+step), n)
		sum += (x + step/2) * (p - last)
		last = p
	}
	return sum
}

// StaleBestMax bounds the busiest edge over the mean when everybody takes the best of reports of an age:
// 1 + E·age/session.
func StaleBestMax(edges int, ageOverSession float64) float64 {
	return 1 + float64(edges)*ageOverSession
}

// Survivable is how many of n edges may fail at a use of their capacity: use ≤ 1 − k/n.
func Survivable(edges int, use float64) int {
	return int(math.Floor(float64(edges)*(1-use) + 1e-9))
}
