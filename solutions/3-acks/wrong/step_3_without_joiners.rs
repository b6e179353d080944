//! step_3_c caught by step_3: asks for nobody to join (R3.10)
let mut out = Vec::new();
for follower in &self.followers {
    let stays = self.in_sync.contains(&follower.id) && !self.lags(follower);
    if !stays {
        out.push(follower.id);
    }
}
self.replicas.iter().copied().filter(|id| !out.contains(id)).collect()
