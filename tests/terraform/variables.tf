variable "endpoint" {
  description = "Where the sandbox is served."
  type        = string
}

variable "stage" {
  description = "1 is what is made first, 2 what becomes of it."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2], var.stage)
    error_message = "There are two stages, 1 and 2."
  }
}
