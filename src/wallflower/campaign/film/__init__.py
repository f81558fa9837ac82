"""The film: what a storyboard says, when its captions stand, and where its words go. All pure."""
