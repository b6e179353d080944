//! step_3_c caught by step_3: asks for followers that may not join, or were refused, because they are not slow (R3.7 R3.10)
let mut out = Vec::new();
for follower in &self.followers {
    let stays = !self.lags(follower);
    if !stays && !follower.joining {
        out.push(follower.id);
    }
}
self.replicas.iter().copied().filter(|id| !out.contains(id)).collect()
