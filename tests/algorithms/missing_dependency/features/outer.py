from features.inner import value
