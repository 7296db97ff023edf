// FrontPanel
