//! step_3_c caught by step_3: leaves the leader out of the set (R3.20)
let mut out = vec![self.me];
for follower in &self.followers {
    let stays = self.in_sync.contains(&follower.id) && !self.lags(follower);
    if !stays && !follower.joining {
        out.push(follower.id);
    }
}
self.replicas.iter().copied().filter(|id| !out.contains(id)).collect()
