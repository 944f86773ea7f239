"""Line mode: registration and calling as questions and answers, one line each."""
