// Another sample rate, with the band limits that the service's resampler (soxr, "HQ") has.

const PASS = 0.913;
const ATTENUATION_DB = 120;

/** Bring samples from one rate to another; the filter has linear phase and no delay. */
export function resample(samples, fromRate, toRate) {
  if (fromRate === toRate || samples.length === 0) return samples;
  const divisor = gcd(fromRate, toRate);
  const nPhases = toRate / divisor;
  const step = fromRate / divisor;
  const { filters, half } = designFilters(fromRate, toRate, nPhases);
  const result = new Float32Array(Math.round((samples.length * nPhases) / step));
  for (let i = 0; i < result.length; i++) {
    const filter = filters[(i * step) % nPhases];
    const first = Math.floor((i * step) / nPhases) - half;
    const from = Math.max(0, -first);
    const to = Math.min(filter.length, samples.length - first);
    let sum = 0;
    for (let j = from; j < to; j++) sum += filter[j] * samples[first + j];
    result[i] = sum;
  }
  return result;
}

/** Windowed sinc functions, one for every place that an output may have between two inputs. */
function designFilters(fromRate, toRate, nPhases) {
  const nyquist = Math.min(fromRate, toRate) / fromRate; // in half-cycles per input sample
  const cutoff = (nyquist * (1 + PASS)) / 2;
  const transition = Math.PI * nyquist * (1 - PASS);
  const half = Math.ceil((ATTENUATION_DB - 7.95) / (2.285 * transition) / 2);
  const beta = 0.1102 * (ATTENUATION_DB - 8.7);
  const filters = Array.from({ length: nPhases }, (_, phase) =>
    Float64Array.from({ length: 2 * half + 1 }, (_, j) => {
      const distance = j - half - phase / nPhases;
      return cutoff * sinc(cutoff * distance) * kaiser(distance / (half + 1), beta);
    }),
  );
  return { filters, half };
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(place, beta) {
  return bessel(beta * Math.sqrt(Math.max(0, 1 - place * place))) / bessel(beta);
}

/** Modified Bessel function of the first kind and order 0, by its power series. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}
