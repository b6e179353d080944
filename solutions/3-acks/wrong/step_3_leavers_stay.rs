//! step_3_c caught by step_3: asks for nobody to leave (R3.8)
let mut out = Vec::new();
for follower in &self.followers {
    let stays = self.in_sync.contains(&follower.id);
    if !stays && !follower.joining {
        out.push(follower.id);
    }
}
self.replicas.iter().copied().filter(|id| !out.contains(id)).collect()
