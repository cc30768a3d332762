//! Text to speech to clips.
