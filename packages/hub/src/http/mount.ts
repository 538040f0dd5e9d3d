/** Where in somebody else's server the hub is. Pure. */

/**
 * The path below the mount, e.g. `/channels/orders` of `/updates/channels/orders`. Empty when it is not below: there is
 * nothing of the hub's then, however much the path looks like it.
 */
export function belowMount(path: string, mount: string | undefined): string {
  const prefix = mount?.endsWith('/') ? mount.slice(0, -1) : mount
  if (!prefix || path === '*') return path
  if (path === prefix) return '/'
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : ''
}
