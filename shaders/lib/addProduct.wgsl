// sum + value · W, for one vec4 of inputs and the four rows of W that it meets.
fn addProduct(sum: vec4f, value: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return fma(vec4f(value.w), w3, fma(vec4f(value.z), w2, fma(vec4f(value.y), w1, fma(vec4f(value.x), w0, sum))));
}
